"""What is planned: the right jobs for each target, and a clear stop for a wrong configuration."""

import re

import pytest
from overlays import overlay
from workflow_tools import ROOT, SMOKE, call, planned, snakemake

from popsed_core.config import root
from popsed_core.config.read import read_config
from popsed_core.config.settings import settings_of
from popsed_core.figures.names import FIGURES

N_MEMBERS = root.load(ROOT / "config.yaml").fit.n_members
FIGURE_JOBS = {f"figure_{name}": 1 for name in FIGURES}
ONE_SURVEY = {
    "fit_member": N_MEMBERS,
    "sample_ensemble": 1,
    "write_tables": 1,
    "summarise": 1,
    "write_provenance": 1,
    "html_report": 1,
    **FIGURE_JOBS,
}
REAL_DATA = {"download": 5, "build_ssp": 1, "build_catalogue": 1}


def times(number, jobs):
    return {name: number * count for name, count in jobs.items()}


@pytest.mark.parametrize("target", ["all", "demo"])
def test_the_demo_is_the_default(checkout, target):
    jobs = planned(checkout, *([] if target == "all" else [target]))
    assert jobs == REAL_DATA | ONE_SURVEY | {"fit_noise": 1, target: 1}


def test_mocks_are_drawn_and_their_noise_comes_from_the_real_survey(checkout):
    mocks = times(2, ONE_SURVEY) | {"observe_mock": 2, "fit_noise": 3, "mock": 1}
    assert planned(checkout, "mock") == REAL_DATA | mocks


def test_the_smoke_run_downloads_nothing(checkout):
    jobs = planned(checkout, *SMOKE)
    expected = ONE_SURVEY | {"fit_member": 2, "fit_noise": 2, "observe_mock": 1, "all": 1}
    assert jobs == expected | {"build_ssp": 1, "build_catalogue": 1}


def test_the_survey_can_be_named_on_the_command_line(checkout):
    jobs = planned(checkout, "--config", "survey=realistic_mock")
    assert jobs["observe_mock"] == 1
    assert jobs["fit_member"] == N_MEMBERS


def test_members_trained_together_are_one_job_per_group(checkout):
    jobs = planned(checkout, "--config", "fit={n_members: 5, members_per_job: 2}")
    fits = {name: count for name, count in jobs.items() if name.startswith("fit_member")}
    survey = root.load(ROOT / "config.yaml").survey
    assert fits == {f"fit_members_{survey}_{first}": 1 for first in (1, 3, 5)}


def test_members_per_job_may_differ_between_surveys(checkout):
    setting = "surveys={realistic_mock: {fit: {members_per_job: 4, n_members: 4}}}"
    jobs = planned(checkout, "--config", setting, "--", "mock")
    assert jobs["fit_members_realistic_mock_1"] == 1
    assert jobs["fit_member"] == N_MEMBERS


def test_a_member_s_settings_do_not_say_how_many_there_are_to_a_job(checkout):
    overlays = [checkout / SMOKE[1], overlay(fit={"members_per_job": 2})]
    alone, together = (read_config(*overlays[:number]) for number in (1, 2))
    given = [settings_of("fit member", each, survey="table2_mock") for each in (alone, together)]
    assert given[0] == given[1]
    assert "fit_member" in planned(checkout, *SMOKE)
    groups = planned(checkout, "--configfile", *overlays)
    assert groups["fit_members_table2_mock_1"] == 1


def test_figures_alone_need_neither_tables_nor_report(checkout):
    jobs = planned(checkout, *SMOKE, "--", "figures")
    assert FIGURE_JOBS.items() <= jobs.items()
    assert not {"html_report", "write_tables", "write_provenance", "summarise"} & set(jobs)


def test_the_report_has_everything_in_it(checkout):
    jobs = planned(checkout, *SMOKE, "--", "report")
    assert {*FIGURE_JOBS, "summarise", "write_tables", "html_report"} <= set(jobs)


def test_a_figure_of_the_data_needs_no_fit(checkout):
    jobs = planned(checkout, "results/sdss_demo/figures/noise_model.pdf")
    assert set(jobs) == {"download", "build_catalogue", "fit_noise", "figure_noise_model"}


def test_a_survey_without_reference_has_nothing_to_recover(checkout, tmp_path):
    overlay = tmp_path / "alone.yaml"
    text = (checkout / SMOKE[1]).read_text().replace("survey: table2_mock", "survey: toy_survey")
    overlay.write_text(text)
    assert "figure_recovery" in planned(checkout, "--configfile", overlay)
    overlay.write_text(text.replace("reference: {redshift: redshift}", ""))
    assert "figure_recovery" not in planned(checkout, "--configfile", overlay)


def test_the_emulator_comes_with_its_certificate_and_figure(checkout):
    jobs = planned(checkout, *SMOKE, "--", "emulator")
    made = {"assemble_emulator", "validate_emulator", "figure_emulator_accuracy"}
    assert dict.fromkeys(made, 1).items() <= jobs.items()


def test_a_fit_with_the_emulator_reads_its_certificate(checkout):
    setting = ("--config", "spectra={engine: emulator}")
    commands = snakemake(checkout, "-n", "-p", *SMOKE, *setting)
    fits = re.findall(r"popsed (?:fit|ensemble) .*", commands)
    assert len(fits) == 3
    assert all("--emulator results/emulator/emulator.pt " in command for command in fits)


@pytest.mark.parametrize("engine", ["exact", "emulator"])
def test_the_report_shows_what_an_emulator_costs_where_there_is_one(checkout, engine):
    jobs = planned(checkout, *SMOKE, "--config", f"spectra={{engine: {engine}}}", "--", "report")
    assert ("figure_emulator_accuracy" in jobs) == (engine == "emulator")


@pytest.mark.parametrize("engine", ["exact", "emulator"])
def test_the_other_engine_s_fit_lives_in_a_folder_of_its_own(checkout, engine):
    setting = ("--config", f"spectra={{engine: {engine}}}")
    jobs = planned(checkout, *SMOKE, *setting, "--", "engines")
    fits = ("fit_member", "fit_member_engine")
    assert [jobs[name] for name in (*fits, "compare_engines", "figure_engines")] == [2, 2, 1, 1]
    commands = snakemake(checkout, "-n", "-p", *SMOKE, *setting, "--", "engines")
    other = "emulator" if engine == "exact" else "exact"
    beside = re.findall(r"popsed fit .* \S*/engines/(\w+)/members/member_\d.pt", commands)
    assert beside == [other, other]
    for command in re.findall(r"popsed (?:fit|ensemble) .*", commands):
        is_emulated = ("engines/" in command) == (engine == "exact")
        assert ("--emulator results/emulator/emulator.pt " in command) == is_emulated


def test_commands_know_neither_this_machine_nor_this_folder(checkout):
    text = snakemake(checkout, "-n", "-p", *SMOKE)
    commands = re.findall(r"Shell command: (.*)", text)
    assert len(commands) > 10
    assert not [command for command in commands if re.search(r"[ '\"=]/(?!dev)", command)]


def test_the_fit_never_sees_the_reference(checkout):
    commands = snakemake(checkout, "-n", "-p", *SMOKE)
    fits = re.findall(r"popsed (?:fit|noise|ensemble) .*", commands)
    assert fits
    assert not [command for command in fits if "reference.h5" in command]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("fit={n_epoch: 3}", "fit.n_epoch: unknown key"),
        ("fit={n_epochs: many}", "fit.n_epochs: Input should be a valid integer"),
        ("survey=nowhere", "nowhere"),
        ("training_set={method: fsps}", "training_set.method: fsps needs ssp.reader: fsps"),
    ],
)
def test_a_wrong_configuration_stops_with_one_line(checkout, setting, told):
    done = call(checkout, "-n", "--config", setting, is_error=True)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "profile" not in line]
    assert len(lines) == 1
    assert lines[0].startswith("popsed: error: ")
    assert told in lines[0]


def test_an_overlay_may_change_the_kind_of_distance(checkout, tmp_path):
    overlay = tmp_path / "sinkhorn.yaml"
    overlay.write_text("fit: {distance: {kind: sinkhorn, p: 1}}")
    assert planned(checkout, "--configfile", overlay)["fit_member"] == N_MEMBERS


def by_fsps(**fsps):
    settings = ", ".join(f"{name}: {value}" for name, value in fsps.items())
    return f"ssp={{reader: fsps, fsps: {{{settings}}}}}"


def test_fsps_data_are_cloned_only_where_fsps_is_the_reader_and_has_none(checkout):
    cloned = planned(checkout, *SMOKE, "--config", by_fsps(imf="Kroupa"))
    assert (cloned["fetch_fsps"], cloned["build_ssp"]) == (1, 1)
    assert "fetch_fsps" not in planned(checkout, *SMOKE, "--config", by_fsps(sps_home="elsewhere"))


def test_settings_of_fsps_are_known_to_the_ssp_table_only_where_fsps_is_the_reader(checkout):
    overlays = [checkout / SMOKE[1], overlay(ssp={"fsps": {"imf": "Kroupa"}})]
    ours = settings_of("ssp build", read_config(*overlays))
    assert "Kroupa" not in str(ours)
    by_itself = read_config(*overlays, overlay(ssp={"reader": "fsps"}))
    assert "Kroupa" in str(settings_of("ssp build", by_itself))
    text = snakemake(checkout, "-n", "-p", *SMOKE, "--config", by_fsps(imf="Kroupa"))
    (command,) = re.findall(r"popsed ssp build .*", text)
    assert "--input resources/fsps.json " in command


def test_training_spectra_by_fsps_get_the_data_of_fsps(checkout):
    recipe = "spectra={star_formation: bins, burst: released}"
    settings = (by_fsps(imf="Chabrier"), recipe, "training_set={method: fsps}")
    chunk = "results/emulator/chunks/chunk_1.h5"
    text = snakemake(checkout, "-n", "-p", *SMOKE, "--config", *settings, "--", chunk)
    (command,) = re.findall(r"popsed spectra chunk .*", text)
    assert "--fsps-data resources/fsps.json " in command
    table = snakemake(checkout, "-n", "-p", *SMOKE, "--", chunk)
    assert "--fsps-data  --n-threads" in table


def test_the_certificate_times_fsps_where_fsps_made_the_table(checkout):
    target = "results/emulator/accuracy.json"
    text = snakemake(checkout, "-n", "-p", *SMOKE, "--config", by_fsps(), "--", target)
    (command,) = re.findall(r"popsed emulator validate .*", text)
    assert "--fsps-data resources/fsps.json " in command
    other = snakemake(checkout, "-n", "-p", *SMOKE, "--", target)
    assert "popsed emulator validate" in other
    assert "--fsps-data  --n-threads" in other


def test_gama_is_two_tables_from_the_archive_or_from_a_folder(checkout):
    assert planned(checkout, "--config", "survey=gama")["download"] == 6  # with the SSPs
    target = "results/gama/catalogue.h5"
    text = snakemake(checkout, "-n", "-p", "--config", "runtime={offline: by hand}", "--", target)
    commands = re.findall(r"popsed data fetch .*", text)
    fetched = sorted(command.split()[3] for command in commands)
    assert fetched == ["gama_masses", "gama_photometry"]
    (build,) = re.findall(r"popsed catalogue build .*", text)
    assert "--input resources/gama_photometry.fits resources/gama_masses.fits" in build


def test_gama_s_extinction_is_a_third_table_only_where_it_is_asked_for(checkout):
    target = "results/gama/catalogue.h5"
    tables = "--input resources/gama_photometry.fits resources/gama_masses.fits "
    for section, more in (("{}", "resources/gama_extinction.fits"), ("{path: E.fits}", "E.fits")):
        words = ("--config", f"surveys={{gama: {{extinction: {section}}}}}", "--", target)
        (checkout / "E.fits").touch()
        text = snakemake(checkout, "-n", "-p", *words)
        (build,) = re.findall(r"popsed catalogue build .*", text)
        assert f"{tables}{more} " in build
        assert len(re.findall(r"popsed data fetch .*", text)) == (3 if section == "{}" else 2)
    (checkout / "E.fits").unlink()
    assert "gama_extinction" not in snakemake(checkout, "-n", "-p", "--", target)


def test_the_paper_s_mock_resamples_gama(checkout):
    words = ("--configfile", "config/paper.yaml", "config/gama_standin.yaml")
    target = "results/table2_mock/catalogue.h5"
    text = snakemake(checkout, "-n", "-p", *words, "--", target)
    (command,) = re.findall(r"popsed mock observe .*", text)
    assert "--base-reference results/gama/reference.h5" in command


@pytest.mark.parametrize(
    ("number", "figures"),
    [
        (2, {"figure_population", "figure_photometry"}),
        (3, {"figure_population", "figure_photometry"}),
        (4, {"figure_star_forming_sequence"}),
        (5, {"figure_emulator_accuracy"}),
        (6, {"figure_corner_full"}),
        (7, {"figure_corner_full"}),
    ],
)
def test_the_paper_s_figures_are_targets_by_their_number(checkout, number, figures):
    standin = ("config/smoke.yaml", "config/gama_standin.yaml")
    jobs = planned(checkout, "--configfile", *standin, "--", f"paper_figure_{number}")
    assert {name for name in jobs if name.startswith("figure_")} == figures
    assert jobs.get("gama_standin", 0) == (1 if number in (3, 4, 7) else 0)


def test_the_linter_is_content(checkout):
    assert "good condition" in snakemake(checkout, "--lint")


def test_a_later_overlay_may_change_the_kind_of_an_earlier_one(checkout):
    overlays = [overlay(fit={"distance": {"kind": "sinkhorn", "p": 1}}),
                overlay(fit={"distance": {"kind": "sliced"}})]  # fmt: skip
    assert planned(checkout, "--configfile", *overlays)["fit_member"] == N_MEMBERS
