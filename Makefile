# Kuayu 跨域. `make help` lists what can be done.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
# Tests start hundreds of processes: each module is compiled once, not once a process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test crash-long property-long check bench protos lock certs derived clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(STAMP): requirements.lock requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## two gateways, one licence: the founding case end to end
	$(BIN)/kuayu demo $(ARGS)

test: $(STAMP) ## the whole suite
	$(BIN)/python -m pytest $(ARGS)

crash-long: $(STAMP) ## SIGKILL 300 times over both gateways (CRASH_KILLS, CRASH_SEED)
	CRASH_KILLS=$${CRASH_KILLS:-300} $(BIN)/python -m pytest tests/crash/test_random_kills.py -s $(ARGS)

property-long: $(STAMP) ## thousands of random federations and documents, another draw each time
	$(BIN)/python -m pytest tests/property --hypothesis-profile=long $(ARGS)

check: $(STAMP) ## ruff, mypy strict, import-linter, size law
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/architecture

bench: $(STAMP) ## first numbers, as ratios to a bare echo in the same run
	$(BIN)/python -m benchmarks.run $(ARGS)

protos: $(STAMP) ## rebuild gateway/wire/generated from protos/
	$(BIN)/python -m tools.build_protos

lock: $(STAMP) ## rebuild the hash-locked requirements (no addresses in them)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

certs: $(STAMP) ## rebuild certs_example/ byte for byte
	$(BIN)/python -m tools.build_certs_example

derived: $(STAMP) ## rebuild every derived file: stubs, example certificates, fault table, item table
	$(BIN)/python -m tools.build_protos
	$(BIN)/python -m tools.build_certs_example
	$(BIN)/python -m tools.build_fault_docs
	$(BIN)/python -m tools.build_item_docs
	$(BIN)/python -m tools.build_conformance_docs
	$(BIN)/python -m tools.build_wire_vectors

clean: ## remove what the targets above made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis
