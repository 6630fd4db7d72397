"""One survey with either engine: the fit with the other one is kept in engines/."""


use rule fit_member as fit_member_engine with:
    input:
        unpack(lambda wildcards: emulator_of(wildcards.engine)),
        ssp="results/ssp.h5",
        catalogue="results/{survey}/catalogue.h5",
        noise="results/{survey}/noise.h5",
    output:
        member="results/{survey}/engines/{engine}/members/member_{member}.pt",
        cost="results/{survey}/engines/{engine}/members/member_{member}.json",
    log:
        "logs/{survey}/engines/{engine}/fit_member_{member}.log",
    benchmark:
        "benchmarks/{survey}/engines/{engine}/fit_member_{member}.tsv"
    wildcard_constraints:
        survey="|".join(CONFIG.surveys),


use rule sample_ensemble as sample_ensemble_engine with:
    input:
        unpack(lambda wildcards: emulator_of(wildcards.engine)),
        ssp="results/ssp.h5",
        catalogue="results/{survey}/catalogue.h5",
        noise="results/{survey}/noise.h5",
        members=member_files,
    output:
        "results/{survey}/engines/{engine}/samples.h5",
    log:
        "logs/{survey}/engines/{engine}/sample_ensemble.log",
    benchmark:
        "benchmarks/{survey}/engines/{engine}/sample_ensemble.tsv"


rule compare_engines:
    input:
        exact=samples_with("exact"),
        emulated=samples_with("emulator"),
        reference="results/{survey}/reference.h5",
    output:
        csv="results/{survey}/engines.csv",
        json="results/{survey}/engines.json",
        markdown="results/{survey}/engines.md",
    log:
        "logs/{survey}/compare_engines.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    resources:
        config=CONFIG_FILE,
    params:
        code=code_of("emulator compare"),
    message:
        "{wildcards.survey}: compare exact with emulated spectra"
    shell:
        "popsed emulator compare --config {resources.config:q} --survey {wildcards.survey}"
        " --exact {input.exact:q} --emulated {input.emulated:q} --reference {input.reference:q} --csv {output.csv:q} --json {output.json:q}"
        " --markdown {output.markdown:q} 2>&1 | tee {log:q}"


rule figure_engines:
    input:
        exact=samples_with("exact"),
        emulated=samples_with("emulator"),
        reference="results/{survey}/reference.h5",
    output:
        pdf="results/{survey}/figures/engines.pdf",
        png=report(
            "results/{survey}/figures/engines.png",
            caption="../report/engines.rst",
            category="3 Spectra",
            labels={"survey": "{survey}", "figure": "engines"},
        ),
    log:
        "logs/{survey}/figure_engines.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    params:
        code=code_of("figure engines"),
    message:
        "{wildcards.survey}: draw exact and emulated spectra's populations"
    shell:
        "popsed figure engines {output.pdf:q} {output.png:q} --exact {input.exact:q}"
        " --emulated {input.emulated:q} --reference {input.reference:q} 2>&1 | tee {log:q}"
