"""The ensemble: one job per flow, resumed from its checkpoint; then draws from all of them."""

FIT_CODE = code_version("popsed_core.inference.fit")


rule fit_member:
    input:
        **emulator_files(),
        ssp="results/ssp.h5",
        catalogue="results/{survey}/catalogue.h5",
        noise="results/{survey}/noise.h5",
    output:
        member="results/{survey}/members/member_{member}.pt",
        cost="results/{survey}/members/member_{member}.json",
    log:
        "logs/{survey}/fit_member_{member}.log",
    benchmark:
        "benchmarks/{survey}/fit_member_{member}.tsv"
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        mem_mb=3000,
        runtime=120,
        device=CONFIG.runtime.device,
    params:
        section=lambda wildcards: json_without(
            CONFIG.fit_for(wildcards.survey), "n_members"
        ),
        spectra=to_json(CONFIG.spectra),
        parameters=lambda wildcards: to_json(CONFIG.parameters_for(wildcards.survey)),
        seed=CONFIG.seed,
        emulator=emulator_option,
        # not an output: Snakemake would delete it with a failed job, and the work with it;
        # named by the code, so that one training never mixes two versions
        checkpoint=f"results/{{survey}}/checkpoints/member_{{member}}_{FIT_CODE}.pt",
        code=FIT_CODE,
    message:
        "{wildcards.survey}: train member {wildcards.member}"
    shell:
        "popsed fit member --survey {wildcards.survey} --member {wildcards.member}"
        " --section {params.section:q} --spectra {params.spectra:q}"
        " --parameters {params.parameters:q} --seed {params.seed}"
        " --ssp {input.ssp:q} --catalogue {input.catalogue:q} --noise {input.noise:q}"
        " {params.emulator}"
        " --checkpoint {params.checkpoint:q} --device {resources.device}"
        " --n-threads {threads} --cost {output.cost:q} {output.member:q} 2>&1 | tee {log:q}"


rule sample_ensemble:
    input:
        **emulator_files(),
        ssp="results/ssp.h5",
        catalogue="results/{survey}/catalogue.h5",
        noise="results/{survey}/noise.h5",
        members=member_files,
    output:
        "results/{survey}/samples.h5",
    log:
        "logs/{survey}/sample_ensemble.log",
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        section=json_without(CONFIG.products, "n_table"),
        spectra=to_json(CONFIG.spectra),
        parameters=lambda wildcards: to_json(CONFIG.parameters_for(wildcards.survey)),
        seed=CONFIG.seed,
        emulator=emulator_option,
        code=code_version("popsed_core.products.ensemble"),
    message:
        "{wildcards.survey}: draw the population from all members"
    shell:
        "popsed ensemble sample --survey {wildcards.survey} --section {params.section:q}"
        " --spectra {params.spectra:q} --parameters {params.parameters:q}"
        " --seed {params.seed} --ssp {input.ssp:q} --catalogue {input.catalogue:q}"
        " --noise {input.noise:q} {params.emulator} --members {input.members:q} --n-threads {threads}"
        " {output:q} 2>&1 | tee {log:q}"
