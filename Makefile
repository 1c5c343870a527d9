# make demo   install into .venv and run the example study
# make test   install what tests need; lint, types, import contracts, the whole suite
# make check  lint, types and import contracts alone
# make long   the long forms of the tests
# make bench  every benchmark that needs no data of its own, in quick form: tables, figures and bars

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
BENCHMARKS := ask_latency batched failures importance overhead page predict selection store store_questions tradeoffs training utilisation

.PHONY: demo test check browser long bench clean

demo: $(VENV)/.installed
	$(BIN)/pegbox demo

test: check browser
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

long: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m long

# A missed bar ends a benchmark with 1, and should not end the others.
bench: $(VENV)/.installed-dev
	@for name in $(BENCHMARKS); do \
		echo; echo "== $$name"; $(BIN)/python benchmarks/$$name.py --quick --json || echo "   $$name: a bar is missed"; \
	done

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The tests of the page need Chromium; where it cannot be had they are skipped, and say so.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& apt-get update -qq && apt-get install -y -qq chromium; } >/dev/null 2>&1 \
		|| echo "Chromium is not installed: the tests that need a browser will be skipped."

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
