# `make` lists what can be done. Everything runs in .venv, made from the hashed requirements.lock.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVICES := survey-intake attribution kpi-aggregator closed-loop bonus
PACKAGES := libs/common $(SERVICES:%=services/%)
STAMP := $(VENV)/.installed

# services, commands and tests start by the hundred: compiled anew each time they take three times as long
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:  ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z_-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv of the PATH when there is one, else the pinned one, inside .venv
$(STAMP): requirements.lock requirements-bootstrap.lock $(PACKAGES:%=%/pyproject.toml)
	@echo "setting up $(VENV) …"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || $(BIN)/python -m pip install --quiet --require-hashes -r requirements-bootstrap.lock
	@UV=$$(command -v uv || echo $(BIN)/uv); \
	  export VIRTUAL_ENV=$(CURDIR)/$(VENV); \
	  $$UV pip install --quiet --require-hashes -r requirements.lock && \
	  $$UV pip install --quiet --no-deps --no-build-isolation $(PACKAGES:%=-e %)
	@touch $@

.PHONY: setup
setup: $(STAMP)  ## make .venv from the lock (the other targets do it when needed)

.PHONY: lock
lock: $(STAMP)  ## renew the lock files: requirements*.in, and what each service's image installs
	@UV=$$(command -v uv || echo $(BIN)/uv); for f in requirements requirements-bootstrap requirements-bench deploy/check/compose/requirements deploy/check/helm/requirements; do \
	  $$UV pip compile --quiet --universal --generate-hashes --no-header \
	    --python-version 3.11 $$f.in -o $$f.lock; done; \
	for s in $(SERVICES); do \
	  $$UV pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
	    --constraints requirements.lock --no-emit-package fairloop \
	    services/$$s/pyproject.toml -o services/$$s/requirements.lock; done

.PHONY: demo
demo: $(STAMP)  ## start Fairloop and watch the windscreen story (ONCE=1: check every number, stop, exit)
	@$(BIN)/python examples/windscreen/story.py

.PHONY: demo-year
demo-year: $(STAMP)  ## play a generated year: 25,000 jobs, 6,000 answers, two planted problems (ONCE=1, ARGS="--scale 0.1")
	@$(BIN)/fairloop demo --year $(ARGS)

.PHONY: up
up: $(STAMP)  ## start the five services in the background and wait until they are ready
	@$(BIN)/fairloop up

.PHONY: down
down: $(STAMP)  ## stop them; the data stays
	@$(BIN)/fairloop down

.PHONY: reset
reset: $(STAMP)  ## stop them and delete their data
	@$(BIN)/fairloop reset --yes

.PHONY: status
status: $(STAMP)  ## what runs, and what needs looking at
	@$(BIN)/fairloop status

.PHONY: secrets
secrets: $(STAMP)  ## make what deploy/compose.yaml mounts from deploy/secrets; what is there stays
	@$(BIN)/fairloop secrets deploy/secrets

.PHONY: test
test: $(STAMP)  ## all tests, on real PostgreSQL and real Kafka (ARGS="-k word" passes options on)
	@$(BIN)/python -m pytest tests --ignore=tests/bench -q -n 5 --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: kafka-test
kafka-test: $(STAMP)  ## only the tests that need Kafka, on a broker started for them
	@$(BIN)/python -m pytest tests -m kafka -q $(ARGS)

.PHONY: systems
systems: $(STAMP)  ## only the end-to-end tests of each system, one installation for all (LOG=kafka|embedded)
	@LOG=$(or $(LOG),embedded) $(BIN)/python -m pytest tests/e2e/systems -q $(ARGS)

.PHONY: fault
fault: $(STAMP)  ## the faults a release must survive, with their full outages, and how long each took
	@FAULT=long $(BIN)/python -m pytest tests --ignore=tests/bench -m fault -q -n 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: upgrade-check
upgrade-check: $(STAMP)  ## an older version and this one at work at once, under traffic (FROM=revision; default: before the newest migration)
	@$(BIN)/python -m tests.upgrade $(FROM)

.PHONY: mutation-gate
mutation-gate: $(STAMP)  ## break the runtime on purpose, again and again: the fault suite must notice each time
	@$(BIN)/python -m tests.mutation $(ARGS)

.PHONY: property
property: $(STAMP)  ## the state machine over all services, for many minutes instead of seconds
	@$(BIN)/python -m pytest tests/property -q --hypothesis-profile=long $(ARGS)

.PHONY: lint
lint: $(STAMP)  ## style, formatting, and which package may import which
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@said=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$said"; exit 1; }
	@echo "lint: fine"

.PHONY: types
types: $(STAMP)  ## mypy --strict
	@$(BIN)/mypy

.PHONY: alerts-check
alerts-check: $(STAMP)  ## check the alert rules and run their tests, with Prometheus' own promtool
	@$(BIN)/python deploy/prometheus/promtool.py check
	@$(BIN)/python deploy/prometheus/promtool.py test

COMPOSE_VENV := .cache/compose-check/venv
$(COMPOSE_VENV)/.installed: deploy/check/compose/requirements.lock $(STAMP)
	@$(PYTHON) -m venv --clear $(COMPOSE_VENV)
	@UV=$$(command -v uv || echo $(BIN)/uv); VIRTUAL_ENV=$(CURDIR)/$(COMPOSE_VENV) \
	  $$UV pip install --quiet --require-hashes -r deploy/check/compose/requirements.lock
	@touch $@

.PHONY: compose-check
compose-check: $(COMPOSE_VENV)/.installed  ## build the images, bring compose.yaml up and try it (needs Go; ARGS="--published --ha")
	@$(BIN)/python -m deploy.check.compose $(ARGS)

.PHONY: deploy-check
deploy-check: compose-check helm-check  ## prove the ways to deploy with real tools

HELM_VENV := .cache/helm-check/venv
$(HELM_VENV)/.installed: deploy/check/helm/requirements.lock $(STAMP)
	@$(PYTHON) -m venv --clear $(HELM_VENV)
	@UV=$$(command -v uv || echo $(BIN)/uv); VIRTUAL_ENV=$(CURDIR)/$(HELM_VENV) \
	  $$UV pip install --quiet --require-hashes -r deploy/check/helm/requirements.lock
	@touch $@

.PHONY: helm-check
helm-check: $(HELM_VENV)/.installed  ## check the Helm chart with real tools and on a real API server (needs Go; the first time builds for minutes)
	@$(BIN)/python -m deploy.check.helm

.PHONY: helm-alerts
helm-alerts:  ## copy the alert rules into the chart, which cannot reach outside of its folder
	@cp deploy/prometheus/alerts.yaml deploy/helm/fairloop/files/alerts.yaml

# the stream processors measured against, apart from what the project needs
BENCH_VENV := .cache/bench-venv
$(BENCH_VENV)/.installed: requirements-bench.lock $(STAMP)
	@echo "setting up $(BENCH_VENV) …"
	@$(PYTHON) -m venv --clear $(BENCH_VENV)
	@UV=$$(command -v uv || echo $(BIN)/uv); VIRTUAL_ENV=$(CURDIR)/$(BENCH_VENV) \
	  $$UV pip install --quiet --require-hashes -r requirements-bench.lock
	@touch $@

.PHONY: bench
bench: $(BENCH_VENV)/.installed  ## measure speed, each figure as a ratio against a baseline (ARGS="--quick --only 3 5")
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: chaos
chaos: $(STAMP)  ## random faults under traffic, then every check (MINUTES=10 SEED=n LOG=kafka|embedded)
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),10) --log $(or $(LOG),kafka) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: soak
soak: $(STAMP)  ## half of the highest rate for long: memory, connections, tables (MINUTES=30 LOG=… RATE=n OUT=FILE)
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30) --log $(or $(LOG),kafka) $(if $(RATE),--rate $(RATE)) $(if $(OUT),--out $(OUT)) $(ARGS)

.PHONY: scale
scale: $(STAMP)  ## measure what more workers bring and what a million responses cost (ARGS="--quick")
	@$(BIN)/python -m tests.bench scale $(ARGS)

.PHONY: schemas
schemas: $(STAMP)  ## write the JSON Schemas of all events anew from their types
	@$(BIN)/python -m fairloop.events.schemas

.PHONY: openapi
openapi: $(STAMP)  ## write the OpenAPI documents of all services anew, into docs/api
	@$(BIN)/python -m tests.contract.openapi

.PHONY: asyncapi
asyncapi: $(STAMP)  ## write the AsyncAPI document of all events anew, into docs/api
	@$(BIN)/python -m tests.contract.asyncapi

# the validators of API and event documents; they are JavaScript
VALIDATORS := .cache/contract-validators
$(VALIDATORS)/.installed: $(wildcard tests/contract/validators/*)
	@command -v npm >/dev/null || { echo "make contracts-check needs Node.js 20.19 or newer, with npm"; exit 1; }
	@echo "setting up $(VALIDATORS) …"
	@rm -rf $(VALIDATORS) && mkdir -p $(VALIDATORS) && cp -R tests/contract/validators/. $(VALIDATORS)
	@cd $(VALIDATORS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: contracts-check
contracts-check: contracts-kept $(VALIDATORS)/.installed  ## are the API and event documents valid, and keep what was promised?
	@node $(VALIDATORS)/asyncapi.mjs docs/api/asyncapi.json
	@said=$$(REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(VALIDATORS)/node_modules/.bin/redocly lint \
	  --config $(VALIDATORS)/redocly.yaml docs/api/*.json 2>&1) || { echo "$$said"; exit 1; }
	@echo "contracts: valid, as @asyncapi/parser and @redocly/cli see it"

.PHONY: contracts-kept
contracts-kept: $(STAMP)  ## do the API and event documents keep what those of BASE=origin/main promised?
	@$(BIN)/python -m tests.contract.breaking $(BASE)

.PHONY: migration
migration: $(STAMP)  ## write a service's next migration: make migration service=bonus message="add a column"
	@[ -n "$(service)" ] && [ -n "$(message)" ] || { echo 'make migration service=NAME message="what changes"'; exit 2; }
	@$(BIN)/python -m $(subst -,_,$(service)).main revision "$(message)"

.PHONY: migrate-check
migrate-check: $(STAMP)  ## the migrations make exactly the tables of the models, and leave the version before at work
	@$(BIN)/python -m fairloop.schema_changes
	@$(BIN)/python -m tests.contract.expanding

.PHONY: clean
clean:  ## stop Fairloop, delete .venv and everything cached; its data stays
	@[ ! -x $(BIN)/fairloop ] || $(BIN)/fairloop down
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find libs services tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
