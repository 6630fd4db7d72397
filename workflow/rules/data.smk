"""Input files and catalogues: real surveys are read, mock surveys are drawn and observed."""


rule download:
    output:
        ensure("resources/{download}.{ending}", non_empty=True),
    log:
        "logs/download/{download}.{ending}.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    resources:
        offline=offline_option(),
        mates=mates_option,
    params:
        section=lambda wildcards: to_json(CONFIG.downloads[wildcards.download]),
    message:
        "download {wildcards.download} and check its sha256"
    shell:
        "popsed data fetch --section {params.section:q} {resources.mates} {resources.offline}"
        " {output:q}"
        " 2>&1 | tee {log:q}"


rule fetch_fsps:
    output:
        "resources/fsps.json",
    log:
        "logs/fetch_fsps.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    params:
        section=to_json(CONFIG.ssp.fsps),
    message:
        "clone the FSPS data into resources/fsps"
    shell:
        "popsed fsps fetch --section {params.section:q} {output:q} 2>&1 | tee {log:q}"


rule gama_standin:
    input:
        ssp="results/ssp.h5",
    output:
        photometry="resources/standin/ApMatchedCat.fits",
        masses="resources/standin/StellarMasses.fits",
    log:
        "logs/gama_standin.log",
    benchmark:
        "benchmarks/gama_standin.tsv"
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        mem_mb=memory(3000),
        runtime=growing(60),
    params:
        spectra=json_without(CONFIG.spectra, "engine"),
        seed=CONFIG.seed,
        n_galaxies=CONFIG.standin.n_galaxies,
        code=code_of("mock gama"),
    message:
        "GAMA: make stand-ins for its tables"
    shell:
        "popsed mock gama --n-galaxies {params.n_galaxies} --spectra {params.spectra:q}"
        " --seed {params.seed} --n-threads {threads} --ssp {input.ssp:q}"
        " {output.photometry:q} {output.masses:q} 2>&1 | tee {log:q}"


rule build_catalogue:
    input:
        survey_tables,
    output:
        catalogue="results/{survey}/catalogue.h5",
        reference="results/{survey}/reference.h5",
        cut_flow=report(
            "results/{survey}/cut_flow.csv",
            caption="../report/cut_flow.rst",
            category="1 Data",
            labels={"survey": "{survey}", "table": "cut flow"},
        ),
    log:
        "logs/{survey}/build_catalogue.log",
    benchmark:
        "benchmarks/{survey}/build_catalogue.tsv"
    wildcard_constraints:
        survey="|".join(REAL) or NOTHING,
    conda:
        "../../envs/popsed.yaml"
    resources:
        mem_mb=memory(1500),
        runtime=growing(20),
    params:
        section=lambda wildcards: json_without(
            CONFIG.surveys[wildcards.survey], "fit", "parameters"
        ),
        redshift=redshift_range,
        wave=f"{CONFIG.ssp.wave_low} {CONFIG.ssp.wave_high}",
        igm=CONFIG.spectra.igm,
        code=code_of("catalogue build"),
    message:
        "{wildcards.survey}: read the survey and select galaxies"
    shell:
        "popsed catalogue build --section {params.section:q} --input {input:q}"
        " --redshift {params.redshift} --wave {params.wave} --igm {params.igm:q}"
        " --catalogue {output.catalogue:q} --reference {output.reference:q}"
        " --cut-flow {output.cut_flow:q} 2>&1 | tee {log:q}"


rule observe_mock:
    input:
        unpack(resampled),
        ssp="results/ssp.h5",
        base=lambda wildcards: f"results/{noise_source(wildcards)}/catalogue.h5",
        noise=lambda wildcards: f"results/{noise_source(wildcards)}/noise.h5",
    output:
        catalogue="results/{survey}/catalogue.h5",
        reference="results/{survey}/reference.h5",
        cut_flow=report(
            "results/{survey}/cut_flow.csv",
            caption="../report/cut_flow.rst",
            category="1 Data",
            labels={"survey": "{survey}", "table": "cut flow"},
        ),
    log:
        "logs/{survey}/observe_mock.log",
    benchmark:
        "benchmarks/{survey}/observe_mock.tsv"
    wildcard_constraints:
        survey="|".join(MOCKS) or NOTHING,
    conda:
        "../../envs/popsed.yaml"
    threads: CONFIG.runtime.n_threads
    resources:
        mem_mb=memory(3000),
        runtime=growing(60),
    params:
        section=lambda wildcards: json_without(
            CONFIG.surveys[wildcards.survey], "fit", "parameters"
        ),
        spectra=json_without(CONFIG.spectra, "engine"),
        seed=CONFIG.seed,
        redshift=redshift_range,
        resampled=resampled_option,
        code=code_of("mock observe"),
    message:
        "{wildcards.survey}: draw galaxies of known truth and observe them"
    shell:
        "popsed mock observe --survey {wildcards.survey} --section {params.section:q}"
        " --spectra {params.spectra:q} --seed {params.seed} --n-threads {threads}"
        " --redshift {params.redshift}"
        " --ssp {input.ssp:q} --base-catalogue {input.base:q} --noise {input.noise:q}"
        " {params.resampled}"
        " --catalogue {output.catalogue:q} --reference {output.reference:q}"
        " --cut-flow {output.cut_flow:q} 2>&1 | tee {log:q}"


rule fit_noise:
    input:
        "results/{survey}/catalogue.h5",
    output:
        "results/{survey}/noise.h5",
    log:
        "logs/{survey}/fit_noise.log",
    benchmark:
        "benchmarks/{survey}/fit_noise.tsv"
    conda:
        "../../envs/popsed.yaml"
    resources:
        mem_mb=memory(1500),
        runtime=growing(20),
    params:
        section=to_json(CONFIG.noise),
        code=code_of("noise fit"),
    message:
        "{wildcards.survey}: fit the noise model"
    shell:
        "popsed noise fit --section {params.section:q} --catalogue {input:q} {output:q}"
        " 2>&1 | tee {log:q}"
