# make help: what there is. Everything works on Debian with Python 3.11 and Node 20; nothing needs an Azure account.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
NODE_STAMP := node_modules/.installed
WORKFLOWS := $(wildcard .github/workflows/*.yml docs/workflows/*.yml)
ACTIONS := $(wildcard action.yml */action.yml)

.DEFAULT_GOAL := help
.PHONY: help install run up test check fix docs lock audit infra coverage judge bench eval eval-llm test-llm clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) $(NODE_STAMP) ## .venv with everything and the aks-copilot command; Azurite from npm

$(STAMP): requirements-uv.lock requirements-dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-uv.lock
	# pip knows mirrors and proxies of pip.conf, which uv does not read
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock || $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e . || $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

$(NODE_STAMP): package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

run: install ## the whole pipeline on samples/, from upload to report, then stop
	@$(BIN)/python tools/demo.py

up: install ## the pipeline, kept running for use (Ctrl-C stops it)
	@$(BIN)/aks-copilot up

check: install ## format, lint (workflows and scripts too), types, layers, generated documents; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/rules_docs.py --check
	$(BIN)/python tools/settings_docs.py --check
	$(BIN)/python tools/lock.py --check
	$(BIN)/shellcheck ci/*.sh deploy/*.sh infra/*.sh
	node tools/lint_workflows.mjs $(WORKFLOWS)
	$(BIN)/zizmor --offline --quiet --no-progress $(WORKFLOWS) $(ACTIONS) .pre-commit-hooks.yaml .github/dependabot.yml

test: check ## check, then every test; on a Python 3.13, where there is one, the conformance tests too
	$(BIN)/pytest -n 2 --dist loadgroup
	$(BIN)/python tools/conformance313.py
	$(BIN)/python tools/smoke.py
	$(BIN)/python tools/scan_infra.py

fix: install ## format and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install ## write the generated documents
	$(BIN)/python tools/rules_docs.py
	$(BIN)/python tools/settings_docs.py

lock: install ## resolve requirements*.txt again and write every package's version and hashes into the lock files
	$(BIN)/python tools/lock.py

audit: install ## ask for known vulnerabilities of what is locked (where the database can be reached)
	@$(BIN)/python tools/audit.py

infra: install ## scan the templates for Azure with checkov, in an environment of its own
	@$(BIN)/python tools/scan_infra.py

coverage: install ## count what becomes of the corpus (where ../shared is) and write it into docs/coverage.md
	@$(BIN)/python tools/coverage_page.py

judge: install ## the black-box judge over the corpus in ten notations (where ../shared is)
	@$(BIN)/python tools/rerendered.py
	@$(BIN)/python tools/answered.py

bench: install ## speed and memory, as ratios within one run
	@$(BIN)/python tools/bench.py

eval: install ## how well each way of searching finds the right article of the knowledge base
	@$(BIN)/python tools/eval_knowledge.py

eval-llm: install ## how well a model repairs what rules leave: BASE_URL=... MODEL=... [KEY_ENV=variable] [ARGS=...]
	@$(BIN)/python tools/eval_llm.py --base-url "$(BASE_URL)" --model "$(MODEL)" $(if $(KEY_ENV),--key-env "$(KEY_ENV)") $(ARGS)

test-llm: install .venv-llm/.installed ## a real, very small model against the boundary (takes half an hour): [ARGS="--seconds 1200 --seed 1"]
	@$(BIN)/python tools/adversary.py $(ARGS)

.venv-llm/.installed: requirements-llm.txt
	$(PYTHON) -m venv .venv-llm
	.venv-llm/bin/python -m pip install -qq --disable-pip-version-check -r requirements-llm.txt
	@touch $@

clean: ## remove what the other targets made
	rm -rf .venv .venv312 .venv313 .venv-checkov .venv-llm node_modules .run .azurite build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
