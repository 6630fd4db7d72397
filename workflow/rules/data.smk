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
        config=CONFIG_FILE,
    params:
        settings=settings("data fetch"),
    message:
        "download {wildcards.download} and check its sha256"
    shell:
        "popsed data fetch {wildcards.download} {output:q} --config {resources.config:q}"
        " 2>&1 | tee {log:q}"


rule fetch_fsps:
    output:
        "resources/fsps.json",
    log:
        "logs/fetch_fsps.log",
    localrule: True
    conda:
        "../../envs/popsed.yaml"
    resources:
        config=CONFIG_FILE,
    params:
        settings=settings("fsps fetch"),
    message:
        "clone the FSPS data into resources/fsps"
    shell:
        "popsed fsps fetch --config {resources.config:q} {output:q} 2>&1 | tee {log:q}"


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
        config=CONFIG_FILE,
        mem_mb=memory(3000),
        runtime=growing(60),
    params:
        settings=settings("mock gama"),
        code=code_of("mock gama"),
    message:
        "GAMA: make stand-ins for its tables"
    shell:
        "popsed mock gama --config {resources.config:q} --ssp {input.ssp:q} --n-threads {threads}"
        " {output.photometry:q} {output.masses:q} 2>&1 | tee {log:q}"


rule build_catalogue:
    input:
        lambda wildcards: paths.survey_tables(CONFIG, wildcards.survey),
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
        config=CONFIG_FILE,
        mem_mb=memory(1500),
        runtime=growing(20),
    params:
        settings=settings("catalogue build"),
        code=code_of("catalogue build"),
    message:
        "{wildcards.survey}: read the survey and select galaxies"
    shell:
        "popsed catalogue build --config {resources.config:q} --survey {wildcards.survey}"
        " --input {input:q}"
        " --catalogue {output.catalogue:q} --reference {output.reference:q}"
        " --cut-flow {output.cut_flow:q} 2>&1 | tee {log:q}"


rule observe_mock:
    input:
        ssp="results/ssp.h5",
        base=lambda wildcards: f"results/{noise_source(wildcards)}/catalogue.h5",
        noise=lambda wildcards: f"results/{noise_source(wildcards)}/noise.h5",
        resampled=lambda wildcards: paths.resampled(CONFIG, wildcards.survey),
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
        config=CONFIG_FILE,
        mem_mb=memory(3000),
        runtime=growing(60),
    params:
        settings=settings("mock observe"),
        code=code_of("mock observe"),
    message:
        "{wildcards.survey}: draw galaxies of known truth and observe them"
    shell:
        "popsed mock observe --config {resources.config:q} --survey {wildcards.survey}"
        " --ssp {input.ssp:q} --base-catalogue {input.base:q} --noise {input.noise:q}"
        " --base-reference {input.resampled:q} --n-threads {threads}"
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
        config=CONFIG_FILE,
        mem_mb=memory(1500),
        runtime=growing(20),
    params:
        settings=settings("noise fit"),
        code=code_of("noise fit"),
    message:
        "{wildcards.survey}: fit the noise model"
    shell:
        "popsed noise fit --config {resources.config:q} --survey {wildcards.survey}"
        " --catalogue {input:q} {output:q} 2>&1 | tee {log:q}"
