# make demo   install into .venv and run the example study
# make test   install what tests need; lint, types, import contracts, the whole suite
# make check  lint, types and import contracts alone
# make long   the long forms of the tests

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check long clean

demo: $(VENV)/.installed
	$(BIN)/pegbox run examples/digits.yaml

test: check
	$(BIN)/python -m pytest

long: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m long

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24.3"

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .pegbox
