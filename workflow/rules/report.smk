"""Provenance of a result, and the report."""


rule write_provenance:
    input:
        ssp="results/ssp.h5",
        catalogue="results/{survey}/catalogue.h5",
        noise="results/{survey}/noise.h5",
        members=member_files,
        samples="results/{survey}/samples.h5",
        base=imitated,
    output:
        report(
            "results/{survey}/provenance.md",
            caption="../report/provenance.rst",
            category="9 Provenance",
            labels={"survey": "{survey}", "table": "provenance"},
        ),
    log:
        "logs/{survey}/write_provenance.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    resources:
        config=CONFIG_FILE,
    params:
        code=code_of("products provenance"),
    message:
        "{wildcards.survey}: write the provenance"
    shell:
        "popsed products provenance {output:q} --config {resources.config:q}"
        " --survey {wildcards.survey} --ssp {input.ssp:q} --catalogue {input.catalogue:q}"
        " --noise {input.noise:q} --members {input.members:q} --samples {input.samples:q}"
        " --base-catalogue {input.base:q} 2>&1 | tee {log:q}"


rule html_report:
    input:
        tables="results/{survey}/samples.fits",
        markdown="results/{survey}/summary.md",
        provenance="results/{survey}/provenance.md",
        figures=report_figures,
    output:
        "results/{survey}/report.html",
    log:
        "logs/{survey}/html_report.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    # the options of the call are no reason to rerun the report
    resources:
        workflow=this_workflow,
    params:
        texts=report_texts(),
    message:
        "{wildcards.survey}: make the HTML report"
    # the numbers end up on the terminal: they are the answer
    shell:
        "snakemake {resources.workflow} --report {output:q} -- {input:q} > {log:q} 2>&1"
        " && popsed products record {output:q} --code {params.texts} --inputs {input:q}"
        " && cat {input.markdown:q}"
