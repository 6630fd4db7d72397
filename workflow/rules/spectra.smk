"""The table of simple stellar populations that all spectra are made of."""


rule build_ssp:
    input:
        **nebular_files(),
        library=ssp_library(),
    output:
        "results/ssp.h5",
    log:
        "logs/build_ssp.log",
    benchmark:
        "benchmarks/build_ssp.tsv"
    conda:
        "../../envs/popsed.yaml"
    resources:
        mem_mb=memory(3000),
        runtime=growing(20),
    params:
        section=ssp_section(),
        options=ssp_options,
        code=code_of("ssp build"),
    message:
        "read the simple stellar populations"
    shell:
        "popsed ssp build --section {params.section:q} {params.options} {output:q}"
        " 2>&1 | tee {log:q}"
