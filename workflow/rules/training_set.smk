"""The training set on disk: chunks, their index, and the principal components of each segment.

A chunk knows its number and not how many there are: one more chunk is one more job.
"""

# takes hours, and 1 GB for each of its children
IS_BY_FSPS = CONFIG.training_set.method == "fsps"


rule training_chunk:
    input:
        ssp="results/ssp.h5",
        fsps=paths.fsps_record(CONFIG) if IS_BY_FSPS else [],
    output:
        "results/emulator/chunks/chunk_{chunk}.h5",
    log:
        "logs/emulator/training_chunk_{chunk}.log",
    benchmark:
        "benchmarks/emulator/training_chunk_{chunk}.tsv"
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        config=CONFIG_FILE,
        mem_mb=memory(1500 + (1000 * CONFIG.runtime.n_threads if IS_BY_FSPS else 0)),
        runtime=growing(1440 if IS_BY_FSPS else 60),
    params:
        settings=settings("spectra chunk"),
        code=code_of("spectra chunk"),
    message:
        "training set: make chunk {wildcards.chunk}"
    shell:
        "popsed spectra chunk --config {resources.config:q} --chunk {wildcards.chunk}"
        " --ssp {input.ssp:q} --fsps-data {input.fsps:q} --n-threads {threads} {output:q}"
        " 2>&1 | tee {log:q}"


rule training_index:
    input:
        paths.chunk_files(CONFIG),
    output:
        "results/emulator/training_set.h5",
    log:
        "logs/emulator/training_index.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    resources:
        config=CONFIG_FILE,
    params:
        settings=settings("spectra index"),
        code=code_of("spectra index"),
    message:
        "training set: list the chunks"
    shell:
        "popsed spectra index {output:q} --config {resources.config:q} --chunks {input:q}"
        " 2>&1 | tee {log:q}"


rule spectrum_basis:
    input:
        index="results/emulator/training_set.h5",
        chunks=paths.chunk_files(CONFIG),
    output:
        "results/emulator/basis_{segment}.h5",
    log:
        "logs/emulator/spectrum_basis_{segment}.log",
    benchmark:
        "benchmarks/emulator/spectrum_basis_{segment}.tsv"
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        config=CONFIG_FILE,
        mem_mb=memory(1500),
        runtime=growing(60),
    params:
        settings=settings("spectra basis"),
        code=code_of("spectra basis"),
    message:
        "training set: principal components of segment {wildcards.segment}"
    shell:
        "popsed spectra basis --config {resources.config:q} --segment {wildcards.segment}"
        " --training-set {input.index:q} --n-threads {threads} {output:q}"
        " 2>&1 | tee {log:q}"


rule figure_emulator_basis:
    input:
        paths.basis_files(CONFIG),
    output:
        pdf="results/emulator/figures/emulator_basis.pdf",
        png=report(
            "results/emulator/figures/emulator_basis.png",
            caption="../report/emulator_basis.rst",
            category="3 Spectra",
            labels={"survey": "-", "figure": "principal components"},
        ),
    log:
        "logs/emulator/figure_emulator_basis.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    params:
        code=code_of("figure emulator_basis"),
    message:
        "training set: draw the error of the components"
    shell:
        "popsed figure emulator_basis {output.pdf:q} {output.png:q} --bases {input:q}"
        " 2>&1 | tee {log:q}"
