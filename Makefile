# Every target sets up .venv by itself. Needs Python 3.11 or newer, make and git; nothing else.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ANVIL := tests/node/node_modules/.package-lock.json

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("BPN needs Python 3.11 or newer." if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv sync --frozen --inexact --compile-bytecode --system-certs --quiet
	@touch $@

up: $(READY) ## Start everything on 127.0.0.1:8000; Ctrl-C stops it
	@$(BIN)/bpn up

demo: $(READY) ## Run the main job end to end in a fresh sandbox, and print what happens
	@$(BIN)/bpn demo

test: $(READY) ## Run the tests
	@$(BIN)/pytest -n 2 --dist loadfile -m "not full"

test-full: $(READY) $(ANVIL) ## Run all tests, those too that need Node or a browser, and 500 seeds of the simulation
	@$(BIN)/python tests/simulation/run.py --seeds 500 --processes 2
	@$(BIN)/pytest -n 2 --dist loadfile

simulate: $(READY) ## Play one seed of the simulation, with its log: make simulate SEED=7
	@$(BIN)/python tests/simulation/run.py --seed $(SEED)

$(ANVIL): tests/node/package.json tests/node/package-lock.json
	@npm ci --prefix tests/node --no-audit --no-fund --loglevel=error
	@touch $@

check: $(READY) ## Check style, types, floors, dependencies, the house's own rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/pytest tests/tidy

bench: $(READY) ## Measure against pgbench on the same server
	@$(BIN)/bpn bench

docs: $(READY) ## Write docs/reference from the code
	@$(BIN)/bpn docs

SEED ?= 0

.PHONY: help up demo test test-full simulate check bench docs
