# `make` says what there is. Everything starts with the set-up, which takes a fifth of a second when it is done.
PYTHON ?= python3
BIN := .venv/bin
CODE := __main__.py providers components tenantry tools bench tests
# The same files as one package: mypy follows the links in tenantry, and must not see what they lead to twice.
PACKAGE := __main__.py tenantry tools bench tests
# Strict: a broken link, anchor or picture is an error. The variable turns off an advertisement.
SITE := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

ALL := -n logical --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage fuzz check format bench crash-matrix emulator lock docs site dist sbom

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## virtual environment, locked packages, Pulumi CLI
	@$(PYTHON) -m tools.setup

demo: setup ## one customer's tenant from nothing, against a local Qlik Cloud
	@$(BIN)/tenantry demo $(ARGS)

test: setup ## all tests, with the coverage that they must have; ARGS="tests/settings -k plans" for some
	@$(BIN)/python -m pytest $(or $(ARGS),$(ALL) --cov --cov-report=)

coverage: setup ## which lines no test runs, also in build/coverage; ARGS="tests/settings" for what some tests run
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS) --cov-fail-under=0,$(ALL) -m "not no_cover") \
		--cov --cov-report=term --cov-report=html:build/coverage

fuzz: setup ## inputs that nobody would write, always others; ARGS=20000 for so many of each kind
	@FUZZ_EXAMPLES=$(or $(ARGS),2000) $(BIN)/python -m pytest -n 2 --timeout 86400 tests/fuzz

check: setup ## format, lint, types, import directions, links of the pages: all of them, whatever the first says
	@failed=; \
	$(BIN)/ruff format --check --output-format concise $(CODE) || failed=1; \
	$(BIN)/ruff check $(CODE) || failed=1; \
	$(BIN)/mypy $(PACKAGE) || failed=1; \
	$(BIN)/lint-imports --no-logo || failed=1; \
	$(SITE) || failed=1; \
	test -z "$$failed"

format: setup ## put the code into its one format
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

bench: setup ## how fast it is
	@$(BIN)/python -m bench $(ARGS)

crash-matrix: setup ## each request of a customer with each fault: hours; ARGS="--every 50" for some
	@$(BIN)/python -m tests.crash.matrix $(ARGS)

emulator: setup ## the local Qlik Cloud; ARGS="--port 8080" for its options
	@$(BIN)/tenantry emulator $(ARGS)

docs: setup ## write the generated pages anew
	@$(BIN)/python -m tools.docs

site: setup ## the documentation site, in build/site
	@$(SITE)
	@echo build/site/index.html

dist: setup ## source archive and wheel of the last commit, built twice, which must make the same bytes
	@$(BIN)/python -m tools.dist

sbom: setup ## bill of materials of the locked packages: CycloneDX, in build/sbom
	@$(PYTHON) -m venv --clear build/cyclonedx
	@build/cyclonedx/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement .github/sbom.lock
	@mkdir -p build/sbom
	@PYTHONWARNINGS=ignore build/cyclonedx/bin/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml --mc-type library \
		--output-file build/sbom/tenantry.cdx.json requirements.lock
	@echo build/sbom/tenantry.cdx.json

lock: setup ## bring the locked packages up to date
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --all-extras --no-emit-index-url \
		--custom-compile-command "make lock" pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.12 --no-emit-index-url \
		--custom-compile-command "make lock" .github/sbom.in --output-file .github/sbom.lock
	@$(MAKE) --no-print-directory setup
