# The words every contributor needs: demo, test, check, bench, docs, build.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check bench docs build emit clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    set up, then derive, prove, fit, train and write the report"
	@echo "make test    set up, then lint, types, architecture and tests"
	@echo "make check   lint, types and architecture alone"
	@echo "make bench   the timings the project promises"
	@echo "make docs    regenerate what the README and docs quote"
	@echo "make emit    write the training kernels from the derivation again"
	@echo "make build   the wheel and the source archive"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/chainrule demo

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest

bench: $(READY)
	$(BIN)/python -m benchmarks

docs: $(READY)
	$(BIN)/python tools/render_docs.py

emit: $(READY)
	$(BIN)/python tools/emit_kernels.py

build: $(READY)
	$(BIN)/python -m pip install --quiet build
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
