# genescribe: every task of the repository. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
CORES ?= $(shell nproc)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
ARGS ?=

.PHONY: help install demo test test-fast test-slurm test-galaxy lint format lock examples schema clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(READY) ## create .venv and install everything from requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { \
	  echo "genescribe needs Python 3.11 to 3.14, but $(PYTHON) is $$($(PYTHON) -V 2>&1); say which to use: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot create virtual environments; on Debian or Ubuntu: apt install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## describe the example assembly and say where the results are
	$(BIN)/snakemake --cores $(CORES)
	@echo
	@echo "Done. The example assembly with its descriptions:"
	@echo "  results/example/report.html        open this in a browser"
	@echo "  results/example/example.gff3       the annotation, descriptions added"
	@echo "  results/example/descriptions.tsv   a row for every gene"
	@echo "  results/example/run.json           what was run, on what, with what"

test: $(READY) ## run the tests (make test ARGS="-k gff" runs some of them)
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile $(ARGS)

test-fast: $(READY) ## run the tests that take no time: while you work
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile -m "not slow and not real_data" $(ARGS)

test-slurm: $(READY) ## run only the test on a one-node Slurm, which it starts (as root)
	$(BIN)/python -m pytest tests/workflow/test_slurm.py $(ARGS)

test-galaxy: $(READY) ## run the Galaxy tool on a real server, installed from PyPI (2 GB)
	bash tests/galaxy/run.sh

lint: $(READY) ## ruff, mypy, snakefmt and snakemake --lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow
	$(BIN)/snakemake --lint

schema: $(READY) ## write the stages' settings into the schema of the workflow's configuration
	$(BIN)/python scripts/config_schema.py

format: $(READY) ## rewrite Python and Snakemake files in the project's style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/snakefmt workflow

# The NVIDIA packages stay out: the CUDA build of torch pins exactly the ones it needs, and the CPU
# build needs none; so does the extra `quantised`, which is for CUDA only.
lock: $(READY) ## resolve pyproject.toml anew into requirements.lock
	{ sed -n '/^#/p' requirements.lock; \
	  $(BIN)/uv pip compile pyproject.toml --extra dev --extra notebook --extra training --extra workflow --quiet --upgrade \
	    --python-version 3.11 --python-platform linux --no-header --no-annotate \
	  | grep -vE '^(nvidia|cuda|triton)'; } > requirements.lock.new
	mv requirements.lock.new requirements.lock

examples: $(READY) ## make the example assembly anew
	$(BIN)/python scripts/make_examples.py

clean: ## remove the results and the caches (not .venv)
	rm -rf results .snakemake .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist scripts/*.egg-info
