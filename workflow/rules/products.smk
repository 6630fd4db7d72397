"""Human-readable tables and summaries."""


rule write_tables:
    input:
        "results/{survey}/samples.h5",
    output:
        fits="results/{survey}/samples.fits",
        csv="results/{survey}/samples.csv",
    log:
        "logs/{survey}/write_tables.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    resources:
        config=CONFIG_FILE,
    params:
        settings=settings("products tables"),
        code=code_of("products tables"),
    message:
        "{wildcards.survey}: write tables of samples"
    shell:
        "popsed products tables --config {resources.config:q} --survey {wildcards.survey}"
        " --samples {input:q} --fits {output.fits:q} --csv {output.csv:q} 2>&1 | tee {log:q}"


rule summarise:
    input:
        samples="results/{survey}/samples.h5",
        catalogue="results/{survey}/catalogue.h5",
        reference="results/{survey}/reference.h5",
        noise="results/{survey}/noise.h5",
        members=member_files,
        costs=lambda wildcards: member_files(wildcards, "json"),
    output:
        json="results/{survey}/summary.json",
        markdown=report(
            "results/{survey}/summary.md",
            caption="../report/summary.rst",
            category="8 Numbers",
            labels={"survey": "{survey}", "table": "summary"},
        ),
        diagnostics=report(
            "results/{survey}/diagnostics.csv",
            caption="../report/diagnostics.rst",
            category="8 Numbers",
            labels={"survey": "{survey}", "table": "against the reference"},
        ),
        redshift=report(
            "results/{survey}/redshift_distribution.csv",
            caption="../report/n_z_table.rst",
            category="8 Numbers",
            labels={"survey": "{survey}", "table": "n(z)"},
        ),
    log:
        "logs/{survey}/summarise.log",
    benchmark:
        "benchmarks/{survey}/summarise.tsv"
    conda:
        "../../envs/popsed.yaml"
    resources:
        config=CONFIG_FILE,
        mem_mb=memory(2000),
        runtime=growing(20),
    params:
        settings=settings("products summary"),
        code=code_of("products summary"),
    message:
        "{wildcards.survey}: summarise and compare with the reference"
    shell:
        "popsed products summary --config {resources.config:q} --survey {wildcards.survey}"
        " --samples {input.samples:q} --catalogue {input.catalogue:q}"
        " --reference {input.reference:q} --noise {input.noise:q}"
        " --members {input.members:q} --costs {input.costs:q}"
        " --json {output.json:q} --markdown {output.markdown:q}"
        " --diagnostics {output.diagnostics:q} --redshift {output.redshift:q}"
        " 2>&1 | tee {log:q}"
