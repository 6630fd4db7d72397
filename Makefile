# Two commands matter: `make demo` and `make test`.  Each sets up .venv from the lock file first.
PYTHON ?= python3
CORES ?= 2
SNAKEMAKE_FLAGS ?=
REAL_DATA ?= $(CURDIR)/.popsed-cache/real
BIN := .venv/bin
STAMP := .venv/.complete
# the target comes after options with one value: --quiet would swallow it
SNAKEMAKE = PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --quiet host reason --cores $(CORES) $(SNAKEMAKE_FLAGS)

# where Python keeps no bytecode, each of a run's jobs would compile the package anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help env lock demo mock figures test test-all test-real coverage lint format bar-demo bar-fsps bar-paper bar-speed bar-cluster bar-house audit study clean clean-all

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

env: $(STAMP) ## make .venv with the locked versions

$(STAMP): envs/requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "PopSED needs Python >= 3.11, but $(PYTHON) is $$($(PYTHON) -V 2>&1)."; \
	  echo "Say which to use: make demo PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --no-compile --progress-bar off -r envs/requirements.lock
	$(BIN)/python -m pip install --progress-bar off --no-deps -e .
	@$(BIN)/python -m compileall -q -j 0 .venv/lib > /dev/null || true # on all cores; pip takes one
	@touch $@

lock: ## write the installed versions into the lock files
	$(BIN)/python envs/make_lock.py

demo: $(STAMP) ## fit 10,000 real SDSS galaxies: tables, figures, report (about ten minutes)
	$(SNAKEMAKE) demo

mock: $(STAMP) ## fit the mock surveys and compare with their truth
	$(SNAKEMAKE) mock

figures: $(STAMP) ## only the figures of the demo
	$(SNAKEMAKE) figures

PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

test: $(STAMP) ## the tests of every day; the summary names the tiers that it leaves out
	$(PYTEST) -n $(CORES) --quick $(PYTEST_FLAGS)

# one process more than cores: tests on a cluster wait most of the time
test-all: $(STAMP) ## all tests, also on a Slurm, of kills, damage, reruns of every key
	$(PYTEST) -n $$(($(CORES) + 1)) $(PYTEST_FLAGS)

coverage: $(STAMP) ## run the tests of every day, and list the modules that they cover badly
	$(PYTEST) -n $(CORES) --quick --cov --cov-report=json:coverage.json $(PYTEST_FLAGS)
	$(BIN)/python -m tests.coverage_table coverage.json

test-real: $(STAMP) ## the tests that read real data, which are downloaded first (170 MB kept)
	$(BIN)/python -m tests.real_data $(REAL_DATA)
	OMP_NUM_THREADS=1 POPSED_REAL_DATA=$(REAL_DATA) $(BIN)/python -m pytest -m real -rs $(PYTEST_FLAGS)

lint: $(STAMP) ## style of Python and workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(STAMP) ## put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

bar-demo: $(STAMP) ## measure the demo's quality bars afresh; exit 1 if one falls short
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m tests.bars.bar_demo $(BARS)

bar-fsps: $(STAMP) ## measure the bars of FSPS, training set and emulator afresh (hours)
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m tests.bars.bar_fsps $(BARS)

bar-paper: $(STAMP) ## measure the bars of the paper's reproduction afresh (hours)
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m tests.bars.bar_paper $(BARS)

bar-speed: $(STAMP) ## measure the bars of speed afresh (about an hour)
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m tests.bars.bar_speed $(BARS)

bar-cluster: $(STAMP) ## measure the bars of clusters, reruns and faults afresh (about an hour)
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m tests.bars.bar_cluster $(BARS)

bar-house: $(STAMP) ## measure layout, size, imports and reruns of the package (two minutes)
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m tests.bars.bar_house $(BARS)

audit: $(STAMP) ## check versions, licences and known vulnerabilities of the locked packages
	$(BIN)/python envs/audit.py

STUDY ?= priors
STUDY_FLAGS ?=
study: $(STAMP) ## judge settings on the mocks: STUDY=priors, distances, minimum..., after make mock; real, offsets, strength, twins
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m tests.studies.$(if $(filter minimum real prior_check luminosity offsets strength twins,$(STUDY)),run_$(STUDY),run_study $(STUDY)) $(STUDY_FLAGS)

clean: ## remove results, logs and benchmarks; downloads and committed results stay
	rm -rf logs benchmarks/*/ .snakemake results/ssp.h5
	for file in results/*/catalogue.h5; do test -e "$$file" && rm -r "$$(dirname "$$file")"; done; true

clean-all: clean ## also remove the downloads and the environment
	rm -rf resources .popsed-cache .venv popsed_core.egg-info
