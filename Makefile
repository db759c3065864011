# Everything a developer types. Needs only Python 3.11 or newer: tools/uv installs uv into .uv/ where it is missing.

UV := tools/uv
RUN := $(UV) run
COVERAGE_FLOOR := 95
COVERED := domain ingest services
BENCH :=
PYTEST :=

# Where Python may not keep what it compiled, each of the hundreds of processes that the tests start takes 3 s more.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check screenshots bench docs format lock upgrade clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Serve on 127.0.0.1:8080 with the sample imported, until Ctrl-C
	@$(UV) sync --quiet
	@$(RUN) --no-sync python -u -m tools.demo

test: ## Run the tests on SQLite and PostgreSQL (PYTEST="-k name" narrows them) and hold coverage to its floor
	@$(RUN) python -m tools.postgres install
	@$(RUN) coverage erase
	$(RUN) coverage run -m pytest $(PYTEST)
	@$(RUN) coverage combine --quiet
ifeq ($(strip $(PYTEST)),)
	@$(RUN) python -m tools.check_coverage $(COVERAGE_FLOOR) $(COVERED)
endif

check: ## Lint, types, layers, sizes, generated docs: everything but the tests
	$(RUN) ruff check .
	$(RUN) flake8
	$(RUN) black --check --quiet .
	$(RUN) isort --check-only --quiet .
	$(RUN) mypy
	$(RUN) lint-imports --no-logo
	$(RUN) python -m tools.check_sizes
	$(RUN) python -m tools.reference --check

bench: ## Run the benchmarks and write docs/explanation/performance.md (BENCH="--quick" for a fast look)
	$(RUN) python -m benchmarks.run $(BENCH)

docs: ## Regenerate docs/reference from the code
	$(RUN) python -m tools.reference

screenshots: ## Take pictures of every page of the console (needs Chromium)
	@$(RUN) python -m tools.screenshots

format: ## Order imports and format
	$(RUN) isort --quiet .
	$(RUN) black --quiet .

lock: ## Pin what is new in pyproject.toml, keeping the pins that fit
	$(RUN) python -m tools.lock
	$(UV) sync

upgrade: ## Pin the newest versions of everything
	$(RUN) python -m tools.lock --upgrade
	$(UV) sync

clean: ## Remove the environment and everything that was built or cached (data/ stays)
	rm -rf .venv .uv dist build .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .schemathesis .import_linter_cache benchmarks/.cache
