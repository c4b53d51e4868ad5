# `make` lists what can be done. Everything runs in .venv, made from the hashed requirements.lock.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := libs/common services/survey-intake services/attribution services/kpi-aggregator services/closed-loop services/bonus
STAMP := $(VENV)/.installed

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
lock: $(STAMP)  ## renew requirements.lock from requirements.in
	@UV=$$(command -v uv || echo $(BIN)/uv); for f in requirements requirements-bootstrap; do \
	  $$UV pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	    --python-version 3.11 $$f.in -o $$f.lock; done
