# Two commands do all the set-up: `make demo` and `make test`. Needed: Python 3.11+, make, a package registry.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint types bench clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.venv/installed: pyproject.toml
	@echo "Creating .venv and installing miniprom with its development tools (about a minute) ..."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: .venv/installed ## Simulated Flux controllers, scraped and queried; ends with Ctrl-C
	$(BIN)/miniprom demo

test: .venv/installed ## All tests; those that need a program that is not installed say so
	$(BIN)/pytest --numprocesses=auto

lint: .venv/installed ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed ## mypy, strict
	$(BIN)/mypy
	$(BIN)/mypy examples

bench: .venv/installed ## Workloads, beside Prometheus and VictoriaMetrics where they are installed
	$(BIN)/python -m benchmarks

clean: ## Remove what the other targets made
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
