# The verbs of this repository. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

help:  ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Fillertrace needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.11 demo"; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "Python's venv module is incomplete here. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/pip
	@echo "setting up .venv from requirements.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.development: requirements-dev.lock .venv/.runtime
	@echo "setting up the developer's tools from requirements-dev.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@touch $@

setup: .venv/.runtime  ## build .venv from the hashed lock file

demo: .venv/.runtime  ## solve the published case over HTTP, Redis and a worker process
	@$(BIN)/fillertrace demo

run: .venv/.runtime  ## the same service, left running on 127.0.0.1:8080
	@$(BIN)/fillertrace serve --data .fillertrace

sandbox: .venv/.development servers  ## a real HAPI FHIR server beside it: every public case goes in there and comes back as a report (KEEP=1: left running; CASES="V01 V09")
	@$(BIN)/python -m tests.sandbox $(if $(KEEP),--keep) $(if $(CASES),--cases $(CASES))

servers:  ## find or install what the tests need: Redis, PostgreSQL, Java, Maven, Chromium
	@deploy/install-test-servers.sh

test: .venv/.development servers  ## every test, with the real servers
	@$(BIN)/python -m pytest -m "not long"

test-long: .venv/.development servers  ## the long, seeded forms; figures go to docs/
	@$(BIN)/python -m pytest -m long

benchmark: .venv/.development servers  ## speed and memory beside HAPI; writes docs/performance.md (LONG=1: 10,000 bundles)
	@$(BIN)/python -m tests.performance.benchmark $(if $(LONG),--long)

engine-speed: .venv/.development  ## the engine alone on 50 events, beside its goals: seconds
	@$(BIN)/python -m tests.performance.engine

coverage: .venv/.development  ## every branch of the clinical engine under its own tests, or it fails
	@$(BIN)/python -m pytest -q tests/unit/correlation tests/clinical --cov=correlation --cov-branch \
	  --cov-report=term-missing:skip-covered --cov-fail-under=100

check: .venv/.development  ## format, lint, types, arrows, generated docs, knowledge base: seconds
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary admission api cli correlation ehr fhir_mappings store workers
	@$(BIN)/lint-imports --no-logo > .import-linter.out || { cat .import-linter.out; exit 1; }
	@rm -f .import-linter.out
	@$(BIN)/fillertrace knowledge check
	@$(BIN)/python -m tests.architecture.generated --check
	@echo "check: format, lint, types, arrows, generated pages and knowledge base are in order"

format: .venv/.development  ## put the code in its form
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

knowledge: .venv/.runtime  ## render docs/knowledge.md
	@$(BIN)/fillertrace knowledge render > docs/knowledge.md

generated: .venv/.development  ## write the generated pages anew
	@$(BIN)/python -m tests.architecture.generated

r4-definitions: .venv/.development servers  ## write the table of FHIR R4's own rules anew, out of HL7's definitions
	@$(BIN)/python -m tests.conformance.r4_definitions

conformance: .venv/.development servers  ## run the tests that prove a requirement; write docs/conformance.md
	@$(BIN)/python -m tests.conformance.page

score-reports: .venv/.development  ## score the reading of report text on the tuning part; figures go to docs/
	@$(BIN)/python -m tests.gold.scoring --part tuning --record

score-cases: .venv/.development  ## score every case; the figures of the evidence card
	@$(BIN)/python -m tests.clinical.figures
	@$(BIN)/python -m tests.architecture.generated

check-wheel: .venv/.development  ## build the wheel, install it alone, and serve from it
	@$(BIN)/python -m pytest -q tests/packaging

lock: .venv/.development  ## write the lock files anew
	@deploy/lock.sh

clean:  ## forget what was built and what the service kept
	@rm -rf .venv .fillertrace demo-output deploy/hapi/target tests/clients/node_modules tests/servers/oidc/node_modules build dist

.PHONY: conformance help setup demo run sandbox servers test test-long benchmark engine-speed coverage check format knowledge generated r4-definitions score-reports score-cases check-wheel lock clean
