# Every target sets up what it needs. `make help` lists them.
# Needs make and Python 3.12 or newer; everything else comes from requirements.lock, with hashes.

PYTHON  ?= python3
WORKERS ?= auto
VENV    := .venv
PYTEST  := $(VENV)/bin/python -m pytest
READY   := $(VENV)/.ready
MIN     := (3, 12)
EXTRAS  ?=
EXTRA_LOCKS := causal dask
COMPILE := $(VENV)/bin/uv pip compile pyproject.toml --universal --python-version 3.12 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet

# Without bytecode each of a hundred processes that tests start would compile what it imports anew,
# and each worker every file of tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup refit check fix test test-all test-causal browser ui bench lint docs lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) $(EXTRAS:%=$(VENV)/.ready-%) ## Build the environment in .venv (EXTRAS="causal dask": causal_gru, portfolios on Dask)

refit: $(READY) ## Run the weekly refit on the demo panel
	$(VENV)/bin/mmm refit --spec data/demo/run_spec.yaml

# Workers of mypy that a busy machine does not start within three seconds end it with 2; types with 1.
check: $(READY) ## Check lock, style, types, documents and architecture; changes nothing
	$(VENV)/bin/uv --quiet pip check --python $(VENV)/bin/python
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy || { [ $$? -eq 2 ] && echo "mypy once more, in one process" >&2 && $(VENV)/bin/mypy --num-workers 0; }
	$(PYTEST) -q tests/architecture

fix: $(READY) ## Mend style and format where that can be done by itself
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

test: $(READY) ## Run the fast tests (WORKERS=0 for one process, ARGS="-k name" to choose)
	$(PYTEST) -n $(WORKERS) -m "not slow" --ignore=tests/architecture $(EXAMPLES) $(COVERAGE) $(ARGS) || [ $$? -eq 5 ]

test-causal: $(READY) $(VENV)/.ready-causal ## Install the extra of kind causal_gru and run its tests
	$(PYTEST) -n $(WORKERS) -m "slow or not slow" tests/unit/models/causal_gru tests/orchestration/test_causal_gru.py $(ARGS)

test-all: COVERAGE = --cov --cov-report=
test-all: EXAMPLES = --hypothesis-profile=thorough
test-all: test ## Run these and the long suites, and hold the floor of coverage
	$(PYTEST) -n $(WORKERS) -m slow $(EXAMPLES) $(COVERAGE) --cov-append $(ARGS) || [ $$? -eq 5 ]
	$(VENV)/bin/coverage report --skip-covered --skip-empty

browser: ## Install the browser of the tests that open pages (Debian, Ubuntu; asks for root)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
		command -v apt-get >/dev/null || { echo "Install Chromium with this system's own package manager." >&2; exit 1; }; \
		if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; \
		$$root apt-get install --yes --no-install-recommends chromium; \
	}

ui: $(READY) ## Start the web app, Prefect, MLflow and a worker on 127.0.0.1
	$(VENV)/bin/mmm ui

bench: $(READY) ## Run the benchmarks (MMM_RECOVERY_DATA=folder of the recovery sets)
	@for script in benchmarks/*.py; do echo "== $$script"; $(VENV)/bin/python "$$script" || exit 1; done

lint: check ## Another name for check

docs: $(READY) ## Write schemas/README.md and schemas/openapi.json from the models
	$(VENV)/bin/python -m schemas.reference > schemas/.README.md || { rm -f schemas/.README.md; exit 1; }
	mv schemas/.README.md schemas/README.md
	$(VENV)/bin/python -m flows.api > schemas/.openapi.json || { rm -f schemas/.openapi.json; exit 1; }
	mv schemas/.openapi.json schemas/openapi.json

lock: $(READY) ## Resolve requirements.lock anew from pyproject.toml, and what extras add to it
	$(COMPILE) --extra dev -o requirements.lock
	for extra in $(EXTRA_LOCKS); do \
		$(COMPILE) --extra dev --extra $$extra --constraint requirements.lock -o $(VENV)/$$extra.lock || exit 1; \
		awk 'NR == FNR { if (/^[^ #]/) { split($$1, a, "=="); known[a[1]] = 1 } next } \
			/^[^ #]/ { split($$1, a, "=="); keep = !(a[1] in known) } keep' \
			requirements.lock $(VENV)/$$extra.lock > requirements-$$extra.lock; \
	done

# What an extra needs beyond requirements.lock, each with a stamp of its own; a plain `make setup`
# neither installs it nor takes it away.
$(VENV)/.ready-%: requirements-%.lock $(READY)
	@echo "Installing $<"
	@VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip install --quiet --compile-bytecode --require-hashes --no-deps -r $< \
		|| { echo "uv could not install the lock; trying pip" >&2; \
			$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps -r $<; }
	@touch $@

# The stamp is written last: an interrupted installation is taken up again by the next make.
# uv is bootstrapped from its own block of the lock. Where uv cannot reach a package index that
# only pip is configured for, pip installs the same lock, slower.
$(READY): requirements.lock pyproject.toml
	@rm -f $(READY)
	@if ! $(VENV)/bin/python -c 'import sys, pip; sys.exit(sys.version_info < $(MIN))' 2>/dev/null; then \
		found=; seen=; \
		for candidate in "$(PYTHON)" python3.13 python3.12; do \
			version=$$("$$candidate" -c 'import platform; print(platform.python_version())' 2>/dev/null) || continue; \
			seen="$${seen:+$$seen, }$$candidate is $$version"; \
			if "$$candidate" -c 'import sys; sys.exit(sys.version_info < $(MIN))'; then found=$$candidate; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "Python 3.12 or newer is needed ($${seen:-no Python was found}); install it, or name it: make PYTHON=/path/to/python3.13" >&2; \
			exit 1; \
		fi; \
		echo "Making $(VENV) with $$found ($$version)"; \
		"$$found" -m venv --clear $(VENV); \
	fi
	@awk '/^[^ #]/ { keep = /^uv==/ } keep' requirements.lock > $(VENV)/uv.lock
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r $(VENV)/uv.lock
	@echo "Installing requirements.lock"
	@VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock \
		|| { echo "uv could not install the lock; trying pip" >&2; \
			$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.lock; }
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@touch $(READY)
