# Wangting. `make help` lists the targets; `make run` starts the product, `make test` tests it.
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
NODE_MAJOR := 24
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
WORKERS ?= 2
MESSAGES := app/web/translations/en/LC_MESSAGES/messages.mo
export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.PHONY: help run test faults lint format bench check assets venv venv-dev browser clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

run: $(VENV)/.runtime app/web/static/dist/manifest.json $(MESSAGES) ## install what is missing and start the whole product; Ctrl-C stops it
	@exec $(BIN)/python -m app.cli.serve

test: venv-dev assets browser ## all tests, on SQLite and PostgreSQL, with Redis and a browser
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope $(ARGS)

faults: venv-dev assets ## the long run of kills: a large batch, many audits; prints its seed
	@WANGTING_FAULTS=full $(BIN)/python -m pytest tests/faults -s $(ARGS)

lint: venv-dev ## style, types, layers and definitions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy
	@$(BIN)/flask definitions check

format: venv-dev ## rewrite the sources in the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: venv-dev assets ## measure speed, writes build/bench.json
	@mkdir -p build
	@$(BIN)/python -m tests.bench $(ARGS)

check: $(VENV)/.runtime ## check the process, decision, form and parameter files
	@$(BIN)/flask definitions check

assets: app/web/static/dist/manifest.json $(MESSAGES) ## browser parts from npm

venv: $(VENV)/.runtime ## the runtime environment

venv-dev: $(VENV)/.dev ## the environment with the test tools

clean: ## remove what the build made; the environment and instance data stay
	@rm -rf build node_modules app/web/static/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find app jobs tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	  echo "Python 3.11 or newer is needed. On Debian: sudo apt-get install python3.11 python3.11-venv" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	  version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "This Python has no ensurepip. On Debian: sudo apt-get install python$$version-venv" >&2; exit 1; fi
	@echo "Making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo "Installing the pinned requirements"
	@$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	@echo "Installing the pinned requirements and test tools"
	@$(PIP) install -r requirements-dev.txt
	@touch $(VENV)/.runtime $@

# Node from PATH only where it is new enough, else the pinned wheel inside the environment.
node_modules/.installed: package.json package-lock.json requirements-node.txt | $(VENV)/.runtime
	@major=$$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'); \
	if [ "$${major:-0}" -lt $(NODE_MAJOR) ] && [ ! -x $(BIN)/node ]; then \
	  echo "Installing Node for the browser parts"; $(PIP) install -r requirements-node.txt; fi
	@echo "Fetching the browser parts"
	@$(WITH_NODE) npm ci --no-fund --no-audit --loglevel=error
	@touch $@

ASSET_SOURCES := $(shell find app/web/assets -type f)

app/web/static/dist/manifest.json: node_modules/.installed $(ASSET_SOURCES)
	@$(WITH_NODE) npm run --silent build
	@touch $@

WITH_NODE = major=$$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'); \
	if [ "$${major:-0}" -lt $(NODE_MAJOR) ]; then PATH="$(CURDIR)/$(BIN):$$PATH"; export PATH; fi;

# Browser journeys need a Chromium and a Chinese font of the system's own.
BROWSER_PACKAGES := chromium fonts-noto-cjk
browser:
	@found=; for name in chromium chromium-browser google-chrome google-chrome-stable; do \
	  command -v $$name >/dev/null 2>&1 && found=1; done; \
	fonts=; if command -v fc-list >/dev/null 2>&1 && [ -n "$$(fc-list :lang=zh 2>/dev/null | head -n 1)" ]; then fonts=1; fi; \
	if [ -n "$$found" ] && [ -n "$$fonts" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "Installing $(BROWSER_PACKAGES) for the browser journeys"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends fontconfig $(BROWSER_PACKAGES) >/dev/null; exit $$?; fi; \
	if [ -n "$$found" ]; then echo "No Chinese font was found: screenshots will show boxes. To add one: sudo apt-get install fonts-noto-cjk" >&2; exit 0; fi; \
	echo "The browser journeys need Chromium. Type: sudo apt-get install $(BROWSER_PACKAGES)" >&2; exit 1

%.mo: %.po | $(VENV)/.runtime
	@$(BIN)/pybabel -q compile -i $< -o $@
