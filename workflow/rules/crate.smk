"""A finished run as an RO-Crate: not part of `all`, as it is for archives."""


rule build_crate:
    input:
        products=crate_products,
        workflow=workflow_files(),
        citation=beside("../../CITATION.cff"),
    output:
        "results/{survey}/crate/ro-crate-metadata.json",
    log:
        "logs/{survey}/build_crate.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    params:
        code=code_of("crate"),
    message:
        "{wildcards.survey}: describe the run as an RO-Crate"
    shell:
        "popsed crate {output:q} --survey {wildcards.survey} --products {input.products:q}"
        " --workflow {input.workflow:q} --citation {input.citation:q} 2>&1 | tee {log:q}"
