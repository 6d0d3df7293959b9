# Everything here needs Python 3.11 or newer and make; the rest it installs into .venv.
PYTHON ?= python3
PORT ?= 8040
DATA ?= demo-data
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint bench faults fuzz browser tus-js clean

demo: .venv/ready ## the example region on http://127.0.0.1:$(PORT); ONCE=1 ends after the story
	$(BIN)/tapak demo --data $(DATA) --port $(PORT) $(if $(ONCE),--once)

test: lint browser tus-js ## lint, types, every test
	$(BIN)/pytest -n 3 --dist loadgroup

lint: .venv/ready-dev ## ruff, mypy, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready-dev ## measured figures, each beside its floor
	$(BIN)/python -m tests.bench

faults: .venv/ready-dev ## the fault laboratory: seeds are printed, counts go to build/faults.json
	$(BIN)/python -m tests.faults

fuzz: .venv/ready-dev ## every line of the library's files deleted, doubled and mistyped in turn
	$(BIN)/python -m tests.fuzz

browser: .venv/ready-dev ## a Chromium for the browser tests, unless one is there
	$(BIN)/python tests/browser/get_chromium.py

tus-js: .venv/ready-dev ## tus-js-client, a stranger's client for the tests, where npm can be reached
	$(BIN)/python tests/stories/get_tus_js.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Tapak needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

.venv/ready: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e .
	@touch $@

.venv/ready-dev: .venv/ready
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev,print]'
	@touch $@

clean:
	rm -rf .venv build demo-data
