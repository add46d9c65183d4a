# Everything a newcomer types. Each target does all its own set-up.

VENV := .venv
BIN  := $(VENV)/bin

# The first Python from 3.11 to 3.13 that really runs (a pyenv shim may be on the path and not run); PYTHON=... overrides it.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)

.PHONY: help playground try test test-busy audit screenshot lint lock clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 found. Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# pip installs uv, uv everything else, in a sixth of the time; each file names the hashes of all that it installs. With
# INSTALLER=pip, pip does all of it: for a machine with an index that only pip is set up for.
INSTALLER ?= uv
ifeq ($(INSTALLER),pip)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
else
INSTALL = VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet
endif

# The stamps remember what was installed, so that a second run starts at once.
$(VENV)/setup.stamp: requirements-setup.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.txt
	@touch $@

$(VENV)/run.stamp: requirements.txt pyproject.toml $(VENV)/setup.stamp
	$(INSTALL) --require-hashes -r requirements.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

playground: $(VENV)/run.stamp ## the whole bot in your browser, with a stand-in for Slack
	@$(BIN)/angel playground

try: $(VENV)/run.stamp ## Angel on the tutorial's five messages, nothing to configure
	@$(BIN)/angel try

test: $(VENV)/dev.stamp ## the whole test run
	$(BIN)/python -m pytest

screenshot: $(VENV)/dev.stamp ## the pictures of README and docs, taken anew
	$(BIN)/python -m tests.icon
	$(BIN)/python -m tests.playground.screenshot
	$(BIN)/python -m tests.evaluation.screenshot

test-busy: $(VENV)/dev.stamp ## ten test runs in a row beside two busy loops: none may fail
	$(BIN)/python -m tests.busy

audit: $(VENV)/dev.stamp ## known holes in the locked packages (asks the package index)
	@$(BIN)/python -m tests.audit requirements-dev.txt

lint: $(VENV)/dev.stamp ## lint, format, types and the architecture contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# No host is named in them: pip and uv each ask the index they are set up for.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command "make lock"

lock: $(VENV)/setup.stamp ## compile the requirements files from pyproject.toml
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt
	@# For small hosts: whatever asks for mlflow gets mlflow-skinny.
	echo "mlflow; python_version < '0'" | $(COMPILE) pyproject.toml --group skinny --override /dev/stdin \
		--constraint requirements.txt --output-file requirements-skinny.txt
	$(COMPILE) --group setup --constraint requirements-dev.txt --output-file requirements-setup.txt

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
