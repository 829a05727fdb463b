# The two set-up commands are `make run` and `make test`; `make check` is what CI adds.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
DATA_DIR ?= data

.PHONY: run test check bench clean

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("smarttriage needs Python 3.11 or newer, this is %s; say which one to use: make PYTHON=python3.12 ..." % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# The stamps make a second run start at once; a changed pyproject.toml installs again.
$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.run

run: $(VENV)/.run
	@$(BIN)/smarttriage serve --data-dir $(DATA_DIR) --port $(PORT)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Hours on a small machine; a run that was cut off goes on. ARGS="--only kpis --weights FOLDER" and the like are handed on.
bench: $(VENV)/.dev
	$(BIN)/python benchmarks/all.py $(ARGS)

clean:
	rm -rf $(VENV) dist build
