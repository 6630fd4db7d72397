"""The emulator: one network per wavelength segment, then all of them in one file."""

HAS_FSPS = CONFIG.ssp.reader == "fsps"  # its own speed then stands in the certificate
EMULATOR_CODE = code_of("emulator train")


rule train_segment:
    input:
        unpack(training_files),
        ssp="results/ssp.h5",
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
        mem_mb=memory(3000),
        runtime=growing(240),
        gpu=N_GPUS,
        device=CONFIG.runtime.device,
    params:
        section=to_json(CONFIG.emulator),
        training=training_section(),
        spectra=json_without(CONFIG.spectra, "engine", "n_pixels", "igm"),
        parameters=boxes(),
        seed=CONFIG.seed,
        chunks=training_options,
        checkpoint=f"results/emulator/checkpoints/segment_{{segment}}_{EMULATOR_CODE}.pt",
        code=EMULATOR_CODE,
    message:
        "emulator: train segment {wildcards.segment}"
    shell:
        "popsed emulator train --segment {wildcards.segment} --section {params.section:q}"
        " --training-set {params.training:q} --spectra {params.spectra:q}"
        " --parameters {params.parameters:q} --seed {params.seed} --ssp {input.ssp:q}"
        " --checkpoint {params.checkpoint:q} --device {resources.device} {params.chunks}"
        " --n-threads {threads} {output:q} 2>&1 | tee {log:q}"


rule assemble_emulator:
    input:
        [
            f"results/emulator/segment_{segment}.pt"
            for segment in range(CONFIG.emulator.n_segments)
        ],
    output:
        "results/emulator/emulator.pt",
    log:
        "logs/emulator/assemble.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    params:
        code=code_of("emulator assemble"),
    message:
        "emulator: put all segments together"
    shell:
        "popsed emulator assemble {output:q} --segments {input:q} 2>&1 | tee {log:q}"


rule validate_emulator:
    input:
        ssp="results/ssp.h5",
        emulator="results/emulator/emulator.pt",
        fsps=fsps_record(HAS_FSPS),
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
        mem_mb=memory(3000),
        runtime=growing(20),
    params:
        fsps=partial(fsps_options, HAS_FSPS),
        code=code_of("emulator validate"),
    message:
        "emulator: measure its errors on unseen spectra"
    shell:
        "popsed emulator validate --emulator {input.emulator:q} --ssp {input.ssp:q}"
        " --n-threads {threads} {params.fsps} --json {output.json:q} --markdown {output.markdown:q}"
        " {output.accuracy:q} 2>&1 | tee {log:q}"


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
