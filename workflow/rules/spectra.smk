"""The table of simple stellar populations that all spectra are made of."""


rule build_ssp:
    input:
        **paths.nebular_files(CONFIG),
        library=paths.ssp_library(CONFIG),
    output:
        "results/ssp.h5",
    log:
        "logs/build_ssp.log",
    benchmark:
        "benchmarks/build_ssp.tsv"
    conda:
        "../../envs/popsed.yaml"
    resources:
        config=CONFIG_FILE,
        mem_mb=memory(3000),
        runtime=growing(20),
    params:
        settings=settings("ssp build"),
        code=code_of("ssp build"),
    message:
        "read the simple stellar populations"
    shell:
        "popsed ssp build {output:q} --config {resources.config:q} --input {input.library:q}"
        " --nebular-continuum {input.continuum:q} --nebular-lines {input.lines:q}"
        " --nebular-wavelengths {input.wavelengths:q} --nebular-stars {input.stars:q}"
        " --nebular-fsps {input.fsps:q} 2>&1 | tee {log:q}"
