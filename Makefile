# `make test` and `make demo` need Python 3.11 or newer and nothing else.
#   PYTHON=python3.13 make test     another interpreter (`make clean` first)
#   JOBS=4 make test                more test processes
#   make demo DB=shop.db            the demo keeps its database
#   make versions                   the suite on every Python at hand and on the lowest dependencies
#   make mutants ON=src/orderflow/domain/money SAMPLE=200 SEED=7
#                                   plant faults in a copy, see whether tests notice (without ON: in what differs from main)

PYTHON ?= python3
JOBS   ?= 2
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTHONS := 3.11 3.12 3.13
CODE    = src tests examples tools $(wildcard benchmarks/*.py benchmarks/before/side_new.py)
BENCHES = $(sort $(wildcard benchmarks/bench_*.py benchmarks/versus_*.py))

.DEFAULT_GOAL := test
.PHONY: test lint types quick gates versions lowest demo bench pages crash cases mutants format environment clean

test: lint gates

# One process for each core; every gate is measured on the same run.
gates: $(STAMP)
	$(BIN)/pytest -n $(JOBS) --cov --cov-report=
	$(BIN)/coverage report --include='src/orderflow/domain/*' --fail-under=100
	$(BIN)/coverage report --include='src/orderflow/flows/*' --fail-under=100

lint: $(STAMP)
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory types

types: $(STAMP)
	$(BIN)/mypy $(CODE)
	$(BIN)/pyright $(CODE)

quick: $(STAMP)
	ORDERFLOW_PROFILE=quick $(BIN)/pytest -q -n $(JOBS) -m 'not slow'

# The variable lets pyenv find each of them; without pyenv it does nothing.
versions: lowest
	@for version in $(PYTHONS); do \
	  export PYENV_VERSION=$$version; \
	  if python$$version -c '' 2>/dev/null; \
	  then $(MAKE) --no-print-directory on-$$version ON=python$$version || exit 1; \
	  else absent="$$absent $$version"; fi; \
	done; echo "Not there, so not tried:$${absent:- none}"

lowest:
	$(PYTHON) tools/lowest.py > .lowest.txt
	@$(MAKE) --no-print-directory on-lowest ON=$(PYTHON) PINS='--constraint .lowest.txt'

on-%:
	$(ON) -m venv --clear .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check $(PINS) --editable '.[suite]' --editable ./examples
	.venv-$*/bin/pytest -q -n $(JOBS)

demo: $(STAMP)
	@$(BIN)/python -m orderflow_examples.demo $(if $(DB),--db $(DB))

bench: $(STAMP)
	@missed=0; for bench in $(BENCHES); do echo "== $$bench"; $(BIN)/python $$bench || missed=1; done; exit $$missed

pages: $(STAMP)
	$(BIN)/python -m orderflow.cli diagram --write docs/machines
	$(BIN)/python tools/codes.py

crash: $(STAMP)
	$(BIN)/python tests/campaigns/kill_run.py

# Runs the cases by id and prints a table of them.
cases: $(STAMP)
	$(BIN)/python tools/cases.py

mutants: $(VENV)/.mutants
	$(BIN)/python tools/mutants.py --jobs $(JOBS) $(if $(ON),--on $(ON)) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

$(VENV)/.mutants: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[mutants]'
	@touch $@

format: $(STAMP)
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

# A stamp, so that only a changed pyproject.toml installs anew.
$(STAMP): pyproject.toml examples/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "orderflow needs Python 3.11 or newer: set PYTHON to one." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(MAKE) --no-print-directory environment
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' --editable ./examples
	@touch $@

# Debian ships python3 without ensurepip; the package python3-venv brings it.
environment:
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 \
	  || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	       && apt-get -qq update && apt-get -qq install -y python3-venv >/dev/null \
	       && $(PYTHON) -m venv --clear $(VENV); } \
	  || { echo "Cannot make a virtual environment: install Python's venv module (Debian: apt-get install python3-venv)." >&2; \
	       exit 1; }

clean:
	rm -rf $(VENV) .venv-* .lowest.txt .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* build dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
