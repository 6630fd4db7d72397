"""The training set on disk: chunks, their index, and the principal components of each segment.

A chunk knows its number and not how many there are: one more chunk is one more job.
"""

CHUNK_CODE = code_of("spectra chunk")
# takes hours, and 1 GB for each of its children
IS_BY_FSPS = CONFIG.training_set.method == "fsps"


rule training_chunk:
    input:
        ssp="results/ssp.h5",
        fsps=fsps_record(IS_BY_FSPS),
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
        mem_mb=memory(1500 + (1000 * CONFIG.runtime.n_threads if IS_BY_FSPS else 0)),
        runtime=growing(1440 if IS_BY_FSPS else 60),
    params:
        section=json_without(CONFIG.training_set, "n_chunks", "n_validation_chunks"),
        spectra=json_without(CONFIG.spectra, "engine", "n_pixels", "igm"),
        parameters=boxes(),
        seed=CONFIG.seed,
        fsps=partial(fsps_options, IS_BY_FSPS),
        # not an output: Snakemake would delete it with a failed job, and the work with it
        partial=f"results/emulator/partial/chunk_{{chunk}}_{CHUNK_CODE}",
        code=CHUNK_CODE,
    message:
        "training set: make chunk {wildcards.chunk}"
    shell:
        "popsed spectra chunk --chunk {wildcards.chunk} --section {params.section:q}"
        " --spectra {params.spectra:q} --parameters {params.parameters:q}"
        " --seed {params.seed} --ssp {input.ssp:q} --partial {params.partial:q}"
        " --n-threads {threads} {params.fsps} {output:q} 2>&1 | tee {log:q}"


rule training_index:
    input:
        chunk_files(),
    output:
        "results/emulator/training_set.h5",
    log:
        "logs/emulator/training_index.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    params:
        n_validation=CONFIG.training_set.n_validation_chunks,
        code=code_of("spectra index"),
    message:
        "training set: list the chunks"
    shell:
        "popsed spectra index --n-validation {params.n_validation} {output:q}"
        " --chunks {input:q} 2>&1 | tee {log:q}"


rule spectrum_basis:
    input:
        index="results/emulator/training_set.h5",
        chunks=chunk_files(),
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
        mem_mb=memory(1500),
        runtime=growing(60),
    params:
        section=to_json(
            {
                "edges": CONFIG.emulator.edges,
                "n_components": CONFIG.emulator.n_components,
                "target": CONFIG.emulator.target,
            }
        ),
        code=code_of("spectra basis"),
    message:
        "training set: principal components of segment {wildcards.segment}"
    shell:
        "popsed spectra basis --segment {wildcards.segment} --section {params.section:q}"
        " --training-set {input.index:q} --n-threads {threads} {output:q}"
        " 2>&1 | tee {log:q}"


rule figure_emulator_basis:
    input:
        basis_files(),
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
