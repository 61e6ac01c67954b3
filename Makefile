# The words every contributor needs: demo, test, check, bench, docs, build.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-slow check check-types check-style check-layers check-english format one matrix \
	bench bench-engine bench-losses bench-peers bounds torture docs build emit board site clean
.DEFAULT_GOAL := help
# Hundreds of tests start a process of their own; without kept bytecode each compiles every module.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make demo    set up, then derive, prove, fit, train and write the report"
	@echo "make test    set up, then lint, types, architecture and tests, but for the slow ones"
	@echo "make test-slow   the tests marked slow, the board in a browser among them"
	@echo "make check   lint, types, architecture and style of text alone"
	@echo "make format  format the code, and fix what can be fixed"
	@echo "make one T=tests/calculus/ops   the tests of one file or folder"
	@echo "make matrix  lowest and newest dependencies on each Python found"
	@echo "make bench   the timings the project promises"
	@echo "make bench-engine   time to an accuracy against the peers; ARGS='--budget 30 --kinds sparse,small --members held-out'"
	@echo "make bench-losses   the same for Poisson, Gamma and one's own losses"
	@echo "make bounds  300 random fits per loss: no certified bound below the true error"
	@echo "make torture  half an hour of seeded faults: files, fits, texts, stops; MINUTES=, SEED=, STOPS="
	@echo "make docs    regenerate what the README and docs quote"
	@echo "make emit    write the training kernels from the derivation again"
	@echo "make board   build the board's front end (needs Node), its types included"
	@echo "make site    build the documentation into site/, warnings as errors; ARGS=--whole-board"
	@echo "make build   the wheel and the source archive"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/chainrule demo

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The parts do not depend on each other. The longest begins, and the others run beside it.
check: $(READY)
	@$(MAKE) --no-print-directory -j 2 check-types check-style check-layers check-english

check-types: $(READY)
	MYPY_NUM_WORKERS=2 $(BIN)/mypy

check-style: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-layers: $(READY)
	$(BIN)/lint-imports --no-cache

check-english: $(READY)
	$(BIN)/python -m tools.english

one: $(READY)
	$(BIN)/python -m pytest $(T)

matrix: $(READY)
	$(BIN)/python -m pip install --quiet build
	$(BIN)/python tools/matrix.py $(ARGS)

test: check
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-slow: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal -m slow

bench: $(READY)
	$(BIN)/python -m benchmarks

PEERS := benchmarks/.peers

$(PEERS)/.ready: benchmarks/requirements-peers.txt
	$(PYTHON) -m venv $(PEERS)
	for package in $$(grep -v '^#' $<); do \
		$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check $$package \
		|| echo "$$package does not install here; its fits will say so"; done
	@touch $(PEERS)/.ready

bench-peers: $(PEERS)/.ready

bench-engine: $(READY) $(PEERS)/.ready
	$(BIN)/python -m benchmarks.engine $(ARGS)

bench-losses: $(READY) $(PEERS)/.ready
	$(BIN)/python -m benchmarks.losses $(ARGS)

bounds: $(READY)
	CHAINRULE_BOUND_EXAMPLES=300 $(BIN)/python -m pytest -n auto tests/engine/test_loss_bounds.py

torture: $(READY)
	$(BIN)/python -m tests.torture --minutes $(or $(MINUTES),25) --seed $(or $(SEED),0)
	CHAINRULE_NORMAL_FORMS=20000 $(BIN)/python -m pytest -n auto tests/calculus/rewriting/test_confluence.py
	CHAINRULE_TORTURE_SECONDS=$(or $(STOPS),300) $(BIN)/python -m pytest tests/cli/test_faults.py

docs: $(READY)
	$(BIN)/python -m tools.render_docs

emit: $(READY)
	$(BIN)/python -m chainrule.emission

board: $(READY)
	$(BIN)/python tools/board_schema.py
	cd frontend && npm ci --ignore-scripts --no-audit --no-fund && node build.mjs

$(VENV)/.ready-docs: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

site: $(VENV)/.ready-docs
	$(BIN)/python -m tools.book $(ARGS)

build: $(READY)
	$(BIN)/python -m pip install --quiet build
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
