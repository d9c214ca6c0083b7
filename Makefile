# Everything starts with the set-up, which has nothing to do (and takes a tenth of a second) when it is done.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench emulator lock docs

help: ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: ## virtual environment, locked packages, Pulumi CLI
	@$(PYTHON) -m tools.setup
