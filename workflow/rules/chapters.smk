"""The report's chapters, and what its rules need to know about the workflow."""

CHAPTERS = {  # of the report, in reading order: the figures of each
    "1 Data": ("cut_flow",),
    "2 Noise": ("noise_model",),
    "3 Spectra": ("emulator_accuracy", "emulator_basis", "engines"),
    "4 Training": ("training",),
    "5 Photometry": ("photometry", "colours"),
    "6 Population": ("population", "redshift_distribution", "star_forming_sequence"),
    "7 All parameters": ("corner_full", "recovery"),
    "8 Numbers": (),
    "9 Provenance": (),
}
STYLE = beside("../report/report.css")
TEXTS = sorted(
    path for end in ("rst", "css") for path in Path(STYLE).parent.glob(f"*.{end}")
)


def chapter(figure):
    """The chapter of the report that shows a figure."""
    return next(name for name, figures in CHAPTERS.items() if figure in figures)


def report_figures(wildcards):
    """The figures of the report: those of the survey, and of its emulator if it uses one."""
    emulator = figures_named("emulator", "emulator_accuracy")
    is_emulated = CONFIG.spectra.engine == "emulator"
    return figure_files(wildcards.survey) + (emulator if is_emulated else [])


def imitated(wildcards):
    """The catalogue that a mock imitates; a real survey has none."""
    if wildcards.survey in REAL:
        return []
    return f"results/{noise_source(wildcards)}/catalogue.h5"


def report_texts():
    """A hash of all captions, front page and style, which are not inputs of a rule."""
    texts = [path.name.encode() + path.read_bytes() for path in TEXTS]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]


def this_workflow(wildcards):
    """The options with which this workflow was called, needed to render its report."""
    settings = workflow.config_settings
    snakefile = os.path.relpath(workflow.main_snakefile)
    options = ["--snakefile", snakefile, "--report-stylesheet", STYLE]
    if settings.configfiles:
        options += ["--configfile", *map(os.path.relpath, settings.configfiles)]
    if settings.config:
        options += ["--config", *settings.config_args]
    return shlex.join(options)


def workflow_files():
    """The files that define a run: Snakefile, rules, configuration and overlays."""
    rules = sorted(Path(beside("common.smk")).parent.glob("*.smk"))
    own = [beside("../Snakefile"), *map(str, rules), beside("../../config.yaml")]
    called = [workflow.main_snakefile, *workflow.config_settings.configfiles]
    return [*dict.fromkeys([*map(os.path.relpath, called), *own])]


def crate_products(wildcards):
    """The final files of a run; their records lead to all others."""
    names = (
        "report.html samples.csv summary.json diagnostics.csv redshift_distribution.csv"
        " cut_flow.csv"
    )
    return [f"results/{wildcards.survey}/{name}" for name in names.split()]
