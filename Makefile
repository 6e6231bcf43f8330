# make app    set everything up and start the app        make test   the whole test suite, browser tests included
# make lint   ruff, pyright, import-linter, tsc           make bench  all benchmarks
# make        lint and test                               make clean  remove what was built
# make test-processors   the tests that train, once for each instruction set of this processor
#
# Variables: PORT=8501, PYTHON=python3.12, TORCH_INDEX=https://download.pytorch.org/whl/cpu

PORT ?= 8501
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3 || echo python3)
# PyTorch's own index of CPU builds spares gigabytes of CUDA packages on Linux. Empty: the plain index.
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
TYPESCRIPT := build/node/.installed
SCREENSHOTS ?= build/screenshots
PYTEST_ARGS ?=
SETS ?=

.DEFAULT_GOAL := check
.PHONY: check app test test-processors lint bench clean docs chromium python

check:
	$(MAKE) lint
	$(MAKE) test

app: $(VENV)/.runtime
	@echo "Starting on http://localhost:$(PORT) (Ctrl-C stops it)"
	@$(BIN)/streamlit run app.py --server.port $(PORT) --server.headless true --browser.serverAddress localhost

test: $(VENV)/.dev $(TYPESCRIPT) chromium
	BNVIZ_REQUIRE_BROWSER=1 BNVIZ_REQUIRE_TYPESCRIPT=1 BNVIZ_SCREENSHOTS="$(abspath $(SCREENSHOTS))" $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder $(PYTEST_ARGS)

test-processors: $(VENV)/.dev
	SETS="$(SETS)" $(BIN)/python scripts/processors.py $(PYTEST_ARGS)

lint: $(VENV)/.dev $(TYPESCRIPT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python scripts/habits.py
	$(BIN)/python scripts/javascript.py types

bench: $(VENV)/.dev chromium
	@set -e; for file in benchmarks/*.py; do case "$$file" in */_*) continue;; esac; echo "== $$file"; PYTHONPATH=. $(BIN)/python "$$file"; done

docs: $(VENV)/.runtime
	$(BIN)/python scripts/build_docs.py
	$(BIN)/python scripts/build_protocol.py

clean:
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python: | python
	@$(PYTHON) -m venv $(VENV) || { echo "Cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }

$(VENV)/.runtime: requirements.txt pyproject.toml $(VENV)/bin/python
	@echo "Installing the app's dependencies (a few minutes the first time)"
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing the tools for tests and lint"
	@$(PIP) -r requirements-dev.txt
	@touch $@

$(TYPESCRIPT): package.json package-lock.json $(VENV)/.dev
	@echo "Installing what checks the JavaScript's types"
	@mkdir -p $(@D)
	@$(BIN)/python scripts/javascript.py install
	@touch $@

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "bnviz needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1 || echo none). Install it, or name it: make app PYTHON=/path/to/python3.11" >&2; exit 1; }

chromium:
	@sh scripts/chromium.sh
