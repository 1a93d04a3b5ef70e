# tilld: `make run` starts a till and its ledger, `make test` proves it. See README.md.
.DEFAULT_GOAL := help
.PHONY: api-types bench-decode help setup setup-dev run test torture check format demo bench man screens pins clean
TILLD := .venv/bin/tilld
PYTHON := .venv/bin/python
WORKERS ?= 2

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## Debian packages where missing, then .venv with tilld
	@packaging/setup.sh run

setup-dev:  ## the same with everything the tests need
	@packaging/setup.sh test

run: setup  ## a ledger and a till with every reader found, until Ctrl-C
	@packaging/run.sh

test: setup-dev check  ## everything CI runs; WORKERS=0: in one process
	@$(PYTHON) -m pytest --hypothesis-profile gate --numprocesses $(WORKERS) --dist loadfile

torture: setup-dev  ## the long forms: 10,000 schedules of each load, 500 kills, power cuts (an hour)
	@$(PYTHON) -m tests.torture

check: setup-dev  ## format, lint, types
	@.venv/bin/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy --no-error-summary

format: setup-dev  ## put the code in its form
	@.venv/bin/ruff check --quiet --fix . ; .venv/bin/ruff format --quiet .

demo: setup  ## half a minute: card, sale, line cut, kill -9, sync, proof
	@packaging/setup.sh demo
	@$(PYTHON) -m bench.demo

bench: setup-dev  ## speed and memory beside what you would use instead
	@packaging/setup.sh bench
	@$(PYTHON) -m bench

bench-decode: setup-dev  ## IMAGES=dir: codes read, misread and how fast, beside other decoders
	@$(PYTHON) -m bench.decode $(IMAGES)

api-types: setup-dev  ## renew clients/browser/src/api.ts from docs/openapi.json
	@.venv/bin/node tests/node/node_modules/openapi-typescript/bin/cli.js docs/openapi.json --default-non-nullable=false -o clients/browser/src/api.ts

man: setup-dev  ## renew docs/man/tilld.1 from the commands
	@$(PYTHON) -m docs.man_page

screens: setup-dev  ## renew docs/screens: a day of a real till in a real browser
	@$(PYTHON) -m docs.screens

pins: setup-dev  ## renew requirements/*.txt from pyproject.toml
	@packaging/pins.sh

clean:  ## remove the virtual environment and caches (never the state)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build *.egg-info
