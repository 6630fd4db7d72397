"""PopSED: from a survey's photometry to the population of its galaxies.

snakemake -c2                    the default survey of config.yaml, to tables, figures, report
snakemake -c2 mock               every mock survey, compared with its truth
snakemake -c2 gama               the paper's survey; with config/paper.yaml or config/ours.yaml
snakemake -c2 paper              its mock and its survey, all that figures 2-4, 6 and 7 show
snakemake -c2 figures            only the figures of the default survey
snakemake -c2 paper_figure_2     a figure of the paper, 2 to 7 (config/paper.yaml: its own fit)
snakemake -c2 training_set       spectra on disk and their principal components
snakemake -c2 engines            the default survey with exact and with emulated spectra
snakemake -c2 crate              the default survey's run as an RO-Crate, for archives
snakemake -c2 --config survey=NAME | --configfile config/smoke.yaml
"""

from snakemake.utils import min_version

min_version("9.6")


include: "workflow/rules/common.smk"
include: "workflow/rules/chapters.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/spectra.smk"
include: "workflow/rules/training_set.smk"
include: "workflow/rules/emulator.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/products.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/crate.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/engines.smk"


report: "workflow/report/workflow.rst"


localrules:
    all,
    demo,
    emulator,
    training_set,
    mock,
    gama,
    paper,
    figures,
    report,
    crate,


rule all:
    default_target: True
    input:
        products_of(CONFIG.survey),
    message:
        f"everything is in results/{CONFIG.survey}, the report in report.html"


rule demo:
    input:
        products_of(CONFIG.survey),
    message:
        f"everything is in results/{CONFIG.survey}, the report in report.html"


rule emulator:
    input:
        "results/emulator/emulator.pt",
        "results/emulator/accuracy.json",
        "results/emulator/figures/emulator_accuracy.pdf",
    message:
        "the emulator is results/emulator/emulator.pt, its errors are in accuracy.md"


rule training_set:
    input:
        basis_files(),
        "results/emulator/figures/emulator_basis.pdf",
    message:
        "spectra and their principal components are in results/emulator"


rule engines:
    input:
        expand(
            f"results/{CONFIG.survey}/{{name}}",
            name=["engines.md", "figures/engines.pdf"],
        ),
    message:
        f"exact and emulated spectra are compared in results/{CONFIG.survey}/engines.md"


rule mock:
    input:
        [products_of(survey) for survey in MOCKS],
    message:
        "everything is in results, one folder per mock"


rule gama:
    input:
        products_of("gama"),
    message:
        "everything is in results/gama, the report in report.html"


rule paper:
    input:
        products_of("table2_mock"),
        products_of("gama"),
    message:
        "the paper's mock is in results/table2_mock, its survey in results/gama"


rule figures:
    input:
        figure_files(CONFIG.survey),
    message:
        f"figures are in results/{CONFIG.survey}/figures"


# Li et al. 2023: mock, GAMA, main sequence, emulator; 6 and 7 are 2 and 3 in all parameters
for NUMBER, FILES in {
    2: figures_named("table2_mock", "population", "photometry"),
    3: figures_named("gama", "population", "photometry"),
    4: figures_named("gama", "star_forming_sequence"),
    5: figures_named("emulator", "emulator_accuracy"),
    6: figures_named("table2_mock", "corner_full"),
    7: figures_named("gama", "corner_full"),
}.items():

    rule:
        name:
            f"paper_figure_{NUMBER}"
        input:
            FILES,
        localrule: True
        message:
            f"figure {NUMBER} of the paper: {' '.join(FILES)}"


rule report:
    input:
        f"results/{CONFIG.survey}/report.html",
    message:
        f"the report is results/{CONFIG.survey}/report.html"


rule crate:
    input:
        f"results/{CONFIG.survey}/crate/ro-crate-metadata.json",
    message:
        f"the RO-Crate is the folder results/{CONFIG.survey}/crate"
