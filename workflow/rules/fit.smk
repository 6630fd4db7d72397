"""The ensemble: jobs of one flow or several, resumed from checkpoints; then draws from all."""

FIT_COMMAND = (
    "popsed fit member --config {resources.config:q} --survey {params.survey}"
    " --member {params.members} --ssp {input.ssp:q} --catalogue {input.catalogue:q}"
    " --noise {input.noise:q} --emulator {input.emulator:q} --n-threads {threads}"
    " {output.member:q} 2>&1 | tee {log:q}"
)


rule fit_member:
    input:
        **emulator_of(CONFIG.spectra.engine),
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
    wildcard_constraints:
        survey="|".join(ONE_BY_ONE) or NOTHING,
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        config=CONFIG_FILE,
        mem_mb=memory(fit_memory),
        runtime=growing(fit_minutes),
        gpu=N_GPUS,
    params:
        survey="{survey}",
        members="{member}",
        settings=settings("fit member"),
        code=code_of("fit member"),
    message:
        "{wildcards.survey}: train member {wildcards.member}"
    shell:
        FIT_COMMAND


# members trained together: one rule per group, as a rule makes a fixed number of files
for SURVEY, GROUP in MEMBER_GROUPS:

    rule:
        name:
            f"fit_members_{SURVEY}_{GROUP[0]}"
        input:
            **emulator_of(CONFIG.spectra.engine),
            ssp="results/ssp.h5",
            catalogue=f"results/{SURVEY}/catalogue.h5",
            noise=f"results/{SURVEY}/noise.h5",
        output:
            member=expand(f"results/{SURVEY}/members/member_{{k}}.pt", k=GROUP),
            cost=expand(f"results/{SURVEY}/members/member_{{k}}.json", k=GROUP),
        log:
            f"logs/{SURVEY}/fit_members_{GROUP[0]}.log",
        benchmark:
            f"benchmarks/{SURVEY}/fit_members_{GROUP[0]}.tsv"
        conda:
            "../../envs/popsed.yaml"
        threads: CONFIG.runtime.n_threads
        resources:
            config=CONFIG_FILE,
            mem_mb=memory(fit_memory(SURVEY, len(GROUP))),
            runtime=growing(fit_minutes(SURVEY, len(GROUP))),
            gpu=N_GPUS_TOGETHER,
        params:
            survey=SURVEY,
            members=" ".join(map(str, GROUP)),
            settings=settings("fit member", survey=SURVEY),
            code=code_of("fit member"),
        message:
            f"{SURVEY}: train members {GROUP[0]} to {GROUP[-1]}"
        shell:
            FIT_COMMAND


rule sample_ensemble:
    input:
        **emulator_of(CONFIG.spectra.engine),
        ssp="results/ssp.h5",
        catalogue="results/{survey}/catalogue.h5",
        noise="results/{survey}/noise.h5",
        members=member_files,
    output:
        "results/{survey}/samples.h5",
    log:
        "logs/{survey}/sample_ensemble.log",
    benchmark:
        "benchmarks/{survey}/sample_ensemble.tsv"
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        config=CONFIG_FILE,
        mem_mb=memory(3000),
        runtime=growing(30),
    params:
        settings=settings("ensemble sample"),
        code=code_of("ensemble sample"),
    message:
        "{wildcards.survey}: draw the population from all members"
    shell:
        "popsed ensemble sample --config {resources.config:q} --survey {wildcards.survey}"
        " --ssp {input.ssp:q} --catalogue {input.catalogue:q} --noise {input.noise:q}"
        " --emulator {input.emulator:q} --members {input.members:q} --n-threads {threads}"
        " {output:q} 2>&1 | tee {log:q}"
