"""The emulator: one network per wavelength segment, then all of them in one file."""

HAS_FSPS = CONFIG.ssp.reader == "fsps"  # its own speed then stands in the certificate
FROM_CHUNKS = CONFIG.emulator.source == "chunks"


rule train_segment:
    input:
        ssp="results/ssp.h5",
        index="results/emulator/training_set.h5" if FROM_CHUNKS else [],
        basis="results/emulator/basis_{segment}.h5" if FROM_CHUNKS else [],
        chunks=paths.chunk_files(CONFIG) if FROM_CHUNKS else [],
    output:
        "results/emulator/segment_{segment}.pt",
    log:
        "logs/emulator/train_segment_{segment}.log",
    benchmark:
        "benchmarks/emulator/train_segment_{segment}.tsv"
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        config=CONFIG_FILE,
        mem_mb=memory(3000),
        runtime=growing(240),
        gpu=N_GPUS,
    params:
        settings=settings("emulator train"),
        code=code_of("emulator train"),
    message:
        "emulator: train segment {wildcards.segment}"
    shell:
        "popsed emulator train --config {resources.config:q} --segment {wildcards.segment}"
        " --ssp {input.ssp:q} --chunks {input.index:q} --basis {input.basis:q}"
        " --n-threads {threads} {output:q} 2>&1 | tee {log:q}"


rule assemble_emulator:
    input:
        paths.segment_files(CONFIG),
    output:
        "results/emulator/emulator.pt",
    log:
        "logs/emulator/assemble.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    resources:
        config=CONFIG_FILE,
    params:
        code=code_of("emulator assemble"),
    message:
        "emulator: put all segments together"
    shell:
        "popsed emulator assemble {output:q} --config {resources.config:q} --segments {input:q}"
        " 2>&1 | tee {log:q}"


rule validate_emulator:
    input:
        ssp="results/ssp.h5",
        emulator="results/emulator/emulator.pt",
        fsps=paths.fsps_record(CONFIG) if HAS_FSPS else [],
    output:
        accuracy="results/emulator/accuracy.h5",
        json="results/emulator/accuracy.json",
        markdown=report(
            "results/emulator/accuracy.md",
            caption="../report/emulator_accuracy.rst",
            category="3 Spectra",
            labels={"survey": "-", "table": "accuracy"},
        ),
    log:
        "logs/emulator/validate.log",
    benchmark:
        "benchmarks/emulator/validate.tsv"
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        config=CONFIG_FILE,
        mem_mb=memory(3000),
        runtime=growing(20),
    params:
        settings=settings("emulator validate"),
        code=code_of("emulator validate"),
    message:
        "emulator: measure its errors on unseen spectra"
    shell:
        "popsed emulator validate --config {resources.config:q} --emulator {input.emulator:q}"
        " --ssp {input.ssp:q} --fsps-data {input.fsps:q} --n-threads {threads}"
        " --json {output.json:q} --markdown {output.markdown:q} {output.accuracy:q}"
        " 2>&1 | tee {log:q}"


rule figure_emulator_accuracy:
    input:
        "results/emulator/accuracy.h5",
    output:
        pdf="results/emulator/figures/emulator_accuracy.pdf",
        png=report(
            "results/emulator/figures/emulator_accuracy.png",
            caption="../report/emulator_accuracy.rst",
            category="3 Spectra",
            labels={"survey": "-", "figure": "emulator accuracy"},
        ),
    log:
        "logs/emulator/figure_emulator_accuracy.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    params:
        code=code_of("figure emulator_accuracy"),
    message:
        "emulator: plot its errors"
    shell:
        "popsed figure emulator_accuracy {output.pdf:q} {output.png:q} --accuracy {input:q}"
        " 2>&1 | tee {log:q}"
