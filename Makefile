# Each target sets up what it needs in .venv; none needs anything but Python 3.11+, make and a package registry.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test fast check data bench recipes docs model clean

demo: .venv/core ## index real pictures, sounds, films and texts, and search them with each other
	$(BIN)/python scripts/fetch_demo.py demo/media
	$(BIN)/python scripts/demo.py demo/media demo/collection

test: .venv/test ## every test, on every core; the tests of a file stay together, since they share what they set up
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --max-worker-restart=0

fast: .venv/test ## the tests that take under two minutes together
	$(BIN)/python -m pytest -m "not slow and not registry"

check: .venv/check ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

data: .venv/core ## fetch the data that benchmarks and `registry` tests use
	$(BIN)/python scripts/fetch_data.py

bench: .venv/bench data ## every figure in the documents
	$(BIN)/python -m benchmarks

recipes: .venv/test ## train, export and search with each of the five systems, without internet
	$(BIN)/python -m benchmarks.five

docs: .venv/core ## regenerate what documents quote from the program
	$(BIN)/python scripts/write_cli_docs.py

.venv/core: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install -c constraints.txt -e .
	touch $@

.venv/test: .venv/core
	$(PIP) install -c constraints.txt -e '.[test]'
	touch $@

.venv/bench: .venv/test
	$(PIP) install -c constraints.txt -e '.[bench]'
	touch $@

.venv/check: .venv/test
	$(PIP) install -c constraints.txt -e '.[check]'
	touch $@

clean: ## remove the environment, the demo and caches
	rm -rf .venv demo .cache build
