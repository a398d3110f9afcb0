# slat: `make help` lists what can be made. Every target sets up what it needs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.complete

.PHONY: help setup prove test check differential coverage bench golden docs all clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP)  ## make the virtual environment

prove: $(STAMP)  ## decide every claim in every version of KVM; tables of verdicts
	$(BIN)/slat prove --series all

test: $(STAMP)  ## run the tests, and prove everything with every solver
	$(BIN)/slat prove --series all --solver all
	$(BIN)/pytest -n auto

check: $(STAMP)  ## formatting, lint, types, specifications, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/slat check
	$(BIN)/slat fmt --check
	$(BIN)/slat report --markdown proofs --check

differential: $(STAMP)  ## compare specifications, reference MMU and Bochs; one line a comparison
	$(BIN)/pytest -q -s tests/differential tests/tables

coverage: $(STAMP)  ## how much of the reference models the comparisons take (at least 98 %)
	$(BIN)/python tests/differential/coverage_of_models.py

bench: $(STAMP)  ## measure, as ratios in one run
	$(BIN)/python -m bench

golden: $(STAMP)  ## rewrite the golden files
	$(BIN)/pytest tests/golden --update-golden

docs: $(STAMP)  ## rewrite the generated documents
	$(BIN)/slat report --markdown proofs

all: check test differential coverage  ## everything but the measurements

clean:  ## delete the virtual environment and the caches
	rm -rf $(VENV) .slat build *.egg-info
