"""Bad inputs through the command line: one clear line, exit status 1, nothing left behind."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml
from overlays import overlay, smoke_with

from popsed_core import cli
from popsed_core.config.base import to_json, to_plain
from popsed_core.config.root import load
from popsed_core.config.surveys import TableBand
from popsed_core.files import artefacts
from popsed_core.files.checksums import digest
from popsed_core.photometry.noise import NoiseTable
from popsed_core.running import loop

ROOT = Path(__file__).resolve().parent.parent
CONFIG = load(ROOT / "config.yaml", ROOT / "config" / "smoke.yaml")
SURVEY = CONFIG.surveys["toy_survey"]
TOY_SURVEY = ROOT / "tests" / "data" / "toy_survey.csv"
QUICK = {"n_epochs": 1, "n_steps": 1}


def popsed(*words):
    return cli.main([str(word) for word in words])


def options(**values):
    """Options as a flat list: ``--n-galaxies 3`` for ``n_galaxies=3``."""
    return [x for key, value in values.items() for x in (f"--{key.replace('_', '-')}", value)]


def build_catalogue(survey, folder, table=TOY_SURVEY, **sections):
    outputs = options(
        catalogue=folder / "catalogue.h5",
        reference=folder / "reference.h5",
        cut_flow=folder / "cut_flow.csv",
    )
    given = smoke_with(surveys={"toy_survey": survey}, **sections)
    words = ("--survey", "toy_survey", "--input", table)
    return popsed("catalogue", "build", *given, *words, *outputs)


def fit_member(files, folder, *more, sections=None, **changes):
    """Fit one member of the smoke configuration, with changed sections or options."""
    paths = {name: files[name] for name in ("ssp", "catalogue", "noise")}
    outputs = {"checkpoint": folder / "checkpoint.pt", "cost": folder / "cost.json"}
    values = {"survey": "toy_survey", "member": 1, "device": "cpu"}
    words = [*smoke_with(**(sections or {})), *options(**(values | paths | outputs | changes))]
    return popsed("fit", "member", *words, *more, folder / "member.pt")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The good artefacts of the smoke configuration."""
    folder = tmp_path_factory.mktemp("good")
    ssp, noise, catalogue = (folder / f"{name}.h5" for name in ("ssp", "noise", "catalogue"))
    assert popsed("ssp", "build", *smoke_with(), ssp) == 0
    assert build_catalogue(SURVEY, folder) == 0
    assert popsed("noise", "fit", *smoke_with(), "--catalogue", catalogue, noise) == 0
    return {"ssp": ssp, "catalogue": catalogue, "noise": noise}


@pytest.fixture
def refused(tmp_path, capsys):
    """Check that the last command ended as one line, and changed no file of ``tmp_path``."""
    capsys.readouterr()

    def snapshot():
        # a lock is empty and stays: popsed_core/files/lock.py
        paths = [p for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".lock"]
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def check(run, *told):
        before = snapshot()
        assert run() == 1
        assert snapshot() == before
        out, error = capsys.readouterr()
        assert out == ""
        assert error.startswith("popsed: error: ")
        assert error.count("\n") == 1
        for part in told:
            assert part in error

    return check


# --- configuration --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overlay", "told"),
    [
        ("fit: {n_epoch: 3}", ("fit.n_epoch: unknown key",)),
        ("fit: {flow: {n_block: 3}}", ("fit.flow.n_block: unknown key",)),
        ("ssp: {colour: red}", ("ssp.colour: unknown key", "'red'")),
        ("fit: {n_epochs: many}", ("fit.n_epochs", "integer", "'many'")),
        ("seed: -1", ("seed", "-1")),
        ("fit: {learning_rate: {peak: 0}}", ("fit.learning_rate.peak", "greater than 0")),
        ("survey: andromeda", ("'andromeda'", "sdss_demo")),
        ("fit: [1, 2", ("overlay.yaml", "not valid YAML")),
        ("surveys: {table2_mock: {noise_from: realistic_mock}}", ("noise_from",)),
        ("surveys: {sdss_demo: {fit: {n_epoch: 3}}}", ("sdss_demo", "n_epoch")),
        ("parameters: {metallicity: {low: 0, high: 1}}", ("metallicity",)),
        (
            "surveys: {table2_mock: {noise_from: andromeda}}",
            ("table2_mock.noise_from", "andromeda"),
        ),
        ("surveys: {table2_mock: {limit_band: y}}", ("table2_mock.limit_band", "'y'", "'r'")),
        (
            "surveys: {sdss_demo: {cuts: {max_mag: {y: 20}}}}",
            ("sdss_demo.cuts.max_mag", "'y'", "'u', 'g'"),
        ),
        (
            "fit: {features: {kind: colours, reference: y}}",
            ("sdss_demo.fit.features.reference", "'y'"),
        ),
        ("surveys: {sdss_demo: {parameters: {colour: {low: 0}}}}", ("sdss_demo", "colour")),
        (
            "surveys: {sdss_demo: {parameters: {kappa_1: {high: 2}}}}",
            ("surveys.sdss_demo.parameters.kappa_1", "0 to 2", "0 to 1"),
        ),
        ("parameters: {redshift: {low: 0}}", ("parameters.redshift", "0 to 0.8", "narrow")),
        ("parameters: {tau_bc: {prior: {against: tau_bc}}}", ("tau_bc.prior.against", "'tau_bc'")),
        ("parameters: {tau_bc: {prior: {against: colour}}}", ("tau_bc.prior.against", "'colour'")),
        ("parameters: {tau_bc: {prior: {against: null}}}", ("tau_bc.prior", "slope", "against")),
        ("parameters: {tau_ism: {prior: {kind: comoving_volume}}}", ("tau_ism.prior.kind",)),
        ("parameters: {tau_ism: {coordinate: flat_simplex}}", ("tau_ism", "flat_simplex")),
        (
            "parameters: {log_stellar_mass: {prior: {slope: [-1]}}}",
            ("log_stellar_mass.prior", "1 slopes and 2 weights"),
        ),
        (
            "parameters: {dust_index: {prior: {kind: tabulated, x: [-3, 0], density: [1, 1]}}}",
            ("dust_index.prior", "density is zero at", "narrow"),
        ),
        ("fit: {holdout: 0}", ("fit.holdout", "greater than 0")),
        ("fit: {distance: {kind: characteristic, low: 30}}", ("fit.distance", "30 is not below")),
        ("ssp: {wave_low: 4.0e+4}", ("ssp", "wave_low 40000 is not below wave_high 30000")),
        ("ssp: {reader: dsps}", ("ssp.path", "dsps needs a table")),
        ("fit: {prior_weight: {end: 0}}", ("fit.prior_weight", "both be zero")),
        (
            "surveys: {mine: {kind: table, path: x.csv, quantity: mag, j_mag: j, bands: "
            "{r: {filter: sdss2010-r, value: r, error: e}}}}",
            ("surveys.mine.j_mag", "both"),
        ),
        (
            "surveys: {mine: {kind: table, path: x.csv, quantity: mag, reference: {mass: m}, "
            "bands: {r: {filter: sdss2010-r, value: r, error: e}}}}",
            ("surveys.mine.reference", "mass", "log_stellar_mass"),
        ),
        (
            "surveys: {mine: {kind: table, path: x.csv, quantity: mag, cuts: {min_redshift: 0}, "
            "bands: {r: {filter: sdss2010-r, value: r, error: e}}}}",
            ("surveys.mine.cuts.min_redshift", "redshift"),
        ),
    ],
)
def test_a_wrong_configuration(refused, tmp_path, overlay, told):
    path = tmp_path / "overlay.yaml"
    path.write_text(overlay)
    refused(lambda: popsed("config", "check", ROOT / "config.yaml", path), *told)


def without_downloads(tmp_path):
    tree = yaml.safe_load((ROOT / "config.yaml").read_text()) | {"downloads": {}}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def test_a_download_that_nobody_describes(refused, tmp_path):
    path = without_downloads(tmp_path)
    refused(lambda: popsed("config", "check", path), "downloads.bc03: missing", "ssp.path")


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"n_epoch": 3}, "fit.n_epoch: unknown key"),
        ({"n_epochs": "many"}, "fit.n_epochs: "),
        ({"n_epochs": 2.5}, "fit.n_epochs: "),
        ({"distance": {"kind": "euclid"}}, "fit.distance: "),
    ],
)
def test_a_wrong_section_of_a_fit(refused, files, tmp_path, section, told):
    refused(lambda: fit_member(files, tmp_path, sections={"fit": section}), told)


# --- a survey's table -----------------------------------------------------------------------


def test_a_missing_column(refused, tmp_path):
    bands = {**SURVEY.bands, "r": TableBand("sdss2010-r", "mag_rr", "error_r")}
    wrong = replace(SURVEY, bands=bands)
    refused(lambda: build_catalogue(wrong, tmp_path), "toy_survey.csv", "'mag_rr'", "mag_r")


def test_a_missing_table(refused, tmp_path):
    refused(lambda: build_catalogue(SURVEY, tmp_path, tmp_path / "nowhere.csv"), "nowhere.csv")


def write_table(path, change):
    """Write the toy survey with its numbers changed; columns as in the CSV's header."""
    header, *rows = TOY_SURVEY.read_text().splitlines()
    values = np.array([[float(x) for x in row.split(",")] for row in rows])
    change(values, header.split(","))
    np.savetxt(path, values, delimiter=",", header=header, comments="")
    return path


def test_nothing_but_nan_in_a_band(refused, tmp_path):
    def erase(values, names):
        values[:, names.index("mag_g")] = np.nan

    table = write_table(tmp_path / "nan.csv", erase)
    refused(lambda: build_catalogue(SURVEY, tmp_path, table), "nan.csv", "'mag_g'", "no valid")


def test_a_nan_in_some_band_of_every_galaxy(refused, tmp_path):
    def erase(values, names):
        values[::2, names.index("mag_g")] = np.nan
        values[1::2, names.index("mag_i")] = np.nan

    table = write_table(tmp_path / "nan.csv", erase)
    told = ("nan.csv", "no galaxy is left", "finite photometry: 0")
    refused(lambda: build_catalogue(SURVEY, tmp_path, table), *told)


def test_an_empty_selection(refused, tmp_path):
    greedy = replace(SURVEY, cuts=replace(SURVEY.cuts, min_snr=1e9))
    told = ("no galaxy is left", "SNR > 1e+09 in every band: 0", "loosen the cut")
    refused(lambda: build_catalogue(greedy, tmp_path), *told)


def test_a_limit_in_a_band_that_does_not_exist(refused, tmp_path):
    wrong = replace(SURVEY, cuts=replace(SURVEY.cuts, max_mag={"y": 20.0}))
    refused(lambda: build_catalogue(wrong, tmp_path), "cuts.max_mag", "'y'")


# --- filters --------------------------------------------------------------------------------


def with_filter(name):
    """The toy survey, with another filter for its z band."""
    return replace(SURVEY, bands={**SURVEY.bands, "z": replace(SURVEY.bands["z"], filter=name)})


UNCOVERED = ("filter wise2010-W4", "0.001-0.8", "cover", "ssp.wave_low/wave_high")


def test_a_band_that_the_spectra_do_not_cover_stops_the_catalogue(refused, tmp_path):
    survey = with_filter("wise2010-W4")
    refused(lambda: build_catalogue(survey, tmp_path), *UNCOVERED)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sdss2010-q", ("filter sdss2010-q", "speclite")),
        ("sdss_q0", ("filter sdss_q0", "sedpy")),
        ("curves/mine.dat", ("filter curves/mine.dat", "no such file")),
    ],
)
def test_a_filter_that_nobody_knows_stops_the_catalogue(refused, tmp_path, name, told):
    refused(lambda: build_catalogue(with_filter(name), tmp_path), *told)


def test_a_band_that_the_spectra_do_not_cover_stops_mock_and_fit(refused, files, tmp_path, capsys):
    far = {"wave_high": 60_000.0}
    assert build_catalogue(with_filter("wise2010-W1"), tmp_path, ssp=far) == 0
    wrong = {**files, "catalogue": tmp_path / "catalogue.h5"}
    capsys.readouterr()
    refused(lambda: fit_member(wrong, tmp_path), "filter wise2010-W1", "the spectra cover")
    paths = options(ssp=files["ssp"], noise=files["noise"], base_catalogue=wrong["catalogue"])
    names = options(catalogue="c.h5", reference="r.h5", cut_flow="c.csv")
    observe = [*smoke_with(), "--survey", "table2_mock", *paths, *names]
    told = ("filter wise2010-W1", "0.001-0.8")
    refused(lambda: popsed("mock", "observe", *observe), *told)


# --- files ----------------------------------------------------------------------------------


def test_a_corrupt_download(refused, tmp_path):
    copy = tmp_path / "copy.fits"
    copy.write_bytes(b"half a table")
    given = smoke_with(downloads={"kcorrect_sdss": {"path": str(copy)}})
    out = tmp_path / "resources" / "kcorrect_sdss.fits"
    found = hashlib.sha256(b"half a table").hexdigest()
    told = ("copy.fits", found, CONFIG.downloads["kcorrect_sdss"].sha256)
    refused(lambda: popsed("data", "fetch", "kcorrect_sdss", out, *given), *told)
    assert not out.parent.exists() or not list(out.parent.iterdir())


@pytest.mark.parametrize("name", ["ssp", "catalogue", "noise"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_a_truncated_hdf5_file(refused, files, tmp_path, name, share):
    content = files[name].read_bytes()
    cut = tmp_path / "cut.h5"
    cut.write_bytes(content[: int(share * len(content))])
    refused(lambda: fit_member({**files, name: cut}, tmp_path), "cut.h5", "delete")


def test_an_artefact_of_another_kind(refused, files, tmp_path):
    swapped = {**files, "noise": files["ssp"]}
    refused(lambda: fit_member(swapped, tmp_path), "ssp.h5", "SSPGrid", "expected NoiseTable")


def test_a_checkpoint_of_another_configuration(refused, files, tmp_path):
    loop.save_plain({"epoch": 1, "config_hash": "other", "job": {}}, tmp_path / "checkpoint.pt")
    told = ("checkpoint.pt", "belongs to another configuration", "delete it")
    refused(lambda: fit_member(files, tmp_path), *told)


@pytest.mark.parametrize("content", [b"", b"no checkpoint at all", {"epoch": 1}])
def test_a_checkpoint_that_is_none(refused, files, tmp_path, content):
    checkpoint = tmp_path / "checkpoint.pt"
    if isinstance(content, bytes):
        checkpoint.write_bytes(content)
    else:
        loop.save_plain(content, checkpoint)
    refused(lambda: fit_member(files, tmp_path), "checkpoint.pt")


def sample(files, folder, *members):
    paths = {name: files[name] for name in ("ssp", "catalogue", "noise")}
    words = [*smoke_with(), *options(survey="toy_survey", **paths)]
    return popsed("ensemble", "sample", folder / "samples.h5", *words, "--members", *members)


def test_a_member_that_is_truncated(refused, files, tmp_path):
    member = tmp_path / "member_1.pt"
    loop.save_plain({"survey": "toy_survey"}, member)
    member.write_bytes(member.read_bytes()[:100])
    refused(lambda: sample(files, tmp_path, member), "member_1.pt")


def test_a_member_of_another_survey(refused, files, tmp_path):
    keys = ("seed", "spectra", "parameters", "flow", "zero_points", "history")
    member = dict.fromkeys(keys, "") | {"survey": "other", "member": 1}
    loop.save_plain(member | {"config": to_json(CONFIG.fit)}, tmp_path / "member_1.pt")
    told = ("other", "toy_survey", "rerun")
    refused(lambda: sample(files, tmp_path, tmp_path / "member_1.pt"), *told)


@pytest.fixture
def other_noise(files, tmp_path):
    """The noise model of a survey with other bands."""
    table = artefacts.load(files["noise"], NoiseTable)
    other = replace(table, bands=("B", *table.bands[1:]))
    artefacts.save(other, tmp_path / "noise.h5", artefacts.load_provenance(files["noise"]))
    return tmp_path / "noise.h5"


BANDS_TOLD = ("noise.h5: has the bands B g r i z, but ", "has u g r i z; give files of one survey")


def test_noise_of_other_bands_stops_a_fit(refused, files, other_noise, tmp_path):
    refused(lambda: fit_member(files, tmp_path, noise=other_noise), *BANDS_TOLD)


def test_noise_of_other_bands_stops_a_mock(refused, files, other_noise, tmp_path):
    words = [*smoke_with(), "--survey", "table2_mock"]
    words += options(ssp=files["ssp"], noise=other_noise, base_catalogue=files["catalogue"])
    words += [*options(**{name: tmp_path / name for name in ("catalogue", "cut_flow")})]
    words += ["--reference", tmp_path / "reference"]
    refused(lambda: popsed("mock", "observe", *words), *BANDS_TOLD)


def test_noise_of_other_bands_stops_a_figure(refused, files, other_noise, tmp_path):
    words = options(catalogue=files["catalogue"], noise=other_noise)
    refused(lambda: popsed("figure", "noise_model", tmp_path / "a.png", *words), *BANDS_TOLD)


def test_members_without_an_output_each_are_refused(refused, files, tmp_path):
    told = ("--member: got 1 members, 1 --cost and 2 outputs", "as many of each")
    refused(lambda: fit_member(files, tmp_path, "first.pt"), *told)


def test_noise_of_other_bands_stops_the_samples(refused, files, other_noise, tmp_path):
    assert fit_member(files, tmp_path, sections={"fit": QUICK}) == 0
    again = {**files, "noise": other_noise}
    refused(lambda: sample(again, tmp_path, tmp_path / "member.pt"), *BANDS_TOLD)


def test_parameters_that_are_not_all_there(refused, files, tmp_path):
    whole = to_plain(CONFIG)
    del whole["parameters"]["redshift"]
    words = ("--config", overlay(**whole), "--member", 1)
    told = "parameters: expected ", "missing or unknown: ['redshift']"
    refused(lambda: popsed("fit", "member", *words), *told)


def test_a_gpu_that_is_not_there(refused, files, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    told = "runtime.device: got cuda", "finds no GPU", "use auto to run on the CPU"
    refused(lambda: fit_member(files, tmp_path, device="cuda"), *told)


def edit_hdf5(path, name, change):
    with h5py.File(path, "a") as file:
        values = change(file[name][()])
        del file[name]
        file[name] = values
        # as a correctly written file would have it
        text = digest(file[name][()])
        file[name].attrs.create("sha256", np.bytes_(text), dtype=h5py.string_dtype("utf-8", 64))


def test_an_artefact_whose_fields_do_not_fit_each_other(refused, files, tmp_path):
    wrong = tmp_path / "wrong.h5"
    wrong.write_bytes(files["catalogue"].read_bytes())
    edit_hdf5(wrong, "mag_error", lambda values: values[:-1])
    told = ("wrong.h5", "Catalogue.mag_error", "axis galaxy", "delete")
    refused(lambda: fit_member({**files, "catalogue": wrong}, tmp_path), *told)


def test_an_artefact_with_a_nan_in_it(refused, files, tmp_path):
    wrong = tmp_path / "wrong.h5"
    wrong.write_bytes(files["catalogue"].read_bytes())
    edit_hdf5(wrong, "mag", lambda values: values * np.nan)
    told = ("wrong.h5", "expected finite magnitudes", "delete")
    refused(lambda: fit_member({**files, "catalogue": wrong}, tmp_path), *told)


@pytest.mark.parametrize("name", ["ssp", "catalogue", "noise"])
def test_a_folder_where_a_file_is_expected(refused, files, tmp_path, name):
    refused(lambda: fit_member({**files, name: tmp_path}, tmp_path), "is a folder")


def test_a_folder_as_configuration(refused, tmp_path):
    refused(lambda: popsed("config", "check", tmp_path), "is a folder, expected a file")


def test_a_configuration_that_is_no_text(refused, files):
    refused(lambda: popsed("config", "check", files["ssp"]), "ssp.h5", "not a text file")


def test_a_folder_where_a_result_should_go(refused, files, tmp_path):
    words = ["noise", "fit", *smoke_with(), "--catalogue", files["catalogue"]]
    refused(lambda: popsed(*words, tmp_path), "is a folder, expected the name of a file to write")
    assert list(tmp_path.parent.glob("*.partial")) == []


def test_a_file_that_may_not_be_read(refused, files, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "noise.h5")
    refused(lambda: fit_member(files, tmp_path), "noise.h5", "no permission", "chmod")


# --- numbers and names on the command line ---------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"member": "many"}, "argument --member: got 'many', expected a whole number"),
        ({"member": 0}, "argument --member: got 0, expected 1 or more"),
        ({"n_threads": 0}, "argument --n-threads: got 0, expected 1 or more"),
    ],
)
def test_a_number_that_makes_no_sense(files, tmp_path, capsys, changes, told):
    with pytest.raises(SystemExit) as end:
        fit_member(files, tmp_path, **changes)
    error = capsys.readouterr().err
    assert end.value.code == 2
    assert error == f"popsed: error: {told}; try `popsed fit member --help`\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "figure.PDF2"])
def test_a_figure_in_an_unknown_format(refused, files, tmp_path, name):
    words = ["figure", "cut_flow", tmp_path / "good.png", tmp_path / name]
    told = (name, "expected a name ending in .pdf, .png, .svg")
    refused(lambda: popsed(*words, "--catalogue", files["catalogue"]), *told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "cost.json: not valid JSON"),
        (b"\xff\xfe", "cost.json: not valid JSON"),
        (b'{"seconds": "long"}', "cost.json: seconds"),
        (b'{"seconds": 1}', "cost.json: lacks ['peak_memory_mb']; delete it"),
        (b"[1]", "cost.json: "),
    ],
)
def test_a_cost_that_is_damaged(refused, files, tmp_path, content, told):
    cost, member, samples = (tmp_path / name for name in ("cost.json", "member.pt", "samples.h5"))
    assert fit_member(files, tmp_path, sections={"fit": QUICK}) == 0
    assert sample(files, tmp_path, member) == 0
    cost.write_bytes(content)
    paths = options(samples=samples, catalogue=files["catalogue"], members=member, costs=cost)
    paths += options(noise=files["noise"], reference=files["catalogue"].with_name("reference.h5"))
    words = options(**{name: tmp_path / name for name in ("json", "markdown", "diagnostics")})
    words += [*smoke_with(), "--survey", "toy_survey", "--redshift", tmp_path / "redshift"]
    refused(lambda: popsed("products", "summary", *paths, *words), told)


def test_a_child_process_ends_with_status_1_and_one_line(files, tmp_path):
    cut, out = tmp_path / "cut.h5", tmp_path / "noise.h5"
    cut.write_bytes(files["catalogue"].read_bytes()[:4000])
    words = ["noise", "fit", *smoke_with(), "--catalogue", cut, out]
    code = "import sys; from popsed_core.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("popsed: error: ")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["cut.h5"]
