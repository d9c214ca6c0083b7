# `make` lists the targets. Each target runs the set-up first, which takes a fifth of a second if it has nothing to do.
PYTHON ?= python3
BIN := .venv/bin
CODE := __main__.py providers components tenantry tools bench tests
# The same files as one package. mypy follows the links in tenantry, so it must not get their targets as well.
PACKAGE := __main__.py tenantry tools bench tests
# Strict: a broken link, anchor or picture is an error. The variable turns off an advertisement.
SITE := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

ALL := -n logical --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage fuzz check format bench crash-matrix emulator lock docs site dist sbom

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## install the virtual environment, the locked packages and the Pulumi CLI
	@$(PYTHON) -m tools.setup

demo: setup ## create one customer's tenant from scratch, against a local Qlik Cloud
	@$(BIN)/tenantry demo $(ARGS)

test: setup ## run all tests and check their coverage; ARGS="tests/settings -k plans" runs some
	@$(BIN)/python -m pytest $(or $(ARGS),$(ALL) --cov --cov-report=)

coverage: setup ## show the lines that no test runs, also in build/coverage; ARGS="tests/settings" measures some tests
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS) --cov-fail-under=0,$(ALL) -m "not no_cover") \
		--cov --cov-report=term --cov-report=html:build/coverage

fuzz: setup ## test with random inputs; ARGS=20000 sets the number of inputs per type
	@FUZZ_EXAMPLES=$(or $(ARGS),2000) $(BIN)/python -m pytest -n 2 --timeout 86400 tests/fuzz

check: setup ## check format, lint, types, import directions and links of the pages; run all checks even if one fails
	@failed=; \
	$(BIN)/ruff format --check --output-format concise $(CODE) || failed=1; \
	$(BIN)/ruff check $(CODE) || failed=1; \
	$(BIN)/mypy $(PACKAGE) || failed=1; \
	$(BIN)/lint-imports --no-logo || failed=1; \
	$(SITE) || failed=1; \
	test -z "$$failed"

format: setup ## format the code
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

bench: setup ## run the benchmarks; ARGS=idle runs one
	@$(BIN)/python -m bench $(ARGS)

crash-matrix: setup ## apply each fault to each request of a customer: takes hours; ARGS="--every 50" applies some
	@$(BIN)/python -m tests.crash.matrix $(ARGS)

emulator: setup ## run the local Qlik Cloud; ARGS="--port 8080" sets its options
	@$(BIN)/tenantry emulator $(ARGS)

docs: setup ## regenerate the generated pages
	@$(BIN)/python -m tools.docs

site: setup ## build the documentation site into build/site
	@$(SITE)
	@echo build/site/index.html

dist: setup ## build source archive and wheel of the last commit, twice, and compare the bytes
	@$(BIN)/python -m tools.dist

sbom: setup ## write the bill of materials of the locked packages to build/sbom (CycloneDX)
	@$(PYTHON) -m venv --clear build/cyclonedx
	@build/cyclonedx/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement .github/sbom.lock
	@mkdir -p build/sbom
	@PYTHONWARNINGS=ignore build/cyclonedx/bin/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml --mc-type library \
		--output-file build/sbom/tenantry.cdx.json requirements.lock
	@echo build/sbom/tenantry.cdx.json

lock: setup ## upgrade the locked packages
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --all-extras --no-emit-index-url \
		--custom-compile-command "make lock" pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.12 --no-emit-index-url \
		--custom-compile-command "make lock" .github/sbom.in --output-file .github/sbom.lock
	@$(MAKE) --no-print-directory setup
