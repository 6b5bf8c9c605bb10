# Weft: everything a developer runs. `make` alone lists the targets.
# Needs make and Python >= 3.11 with venv; all else goes into .venv.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first Python that is new enough; PYTHON=/path/to/python3 names another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; exit; }; done; \
	command -v python3)
PY := .venv/bin/python
# A real PostgreSQL for one command: the one DATABASE_URL names, or a throw-away one.
WITH_DATABASE := $(PY) -m runtime.postgres run --ephemeral --unless-given --
# Complete settings for tests (or for production), around secrets made for this one command.
FOR_TESTS := $(PY) -m runtime.environment test --
FOR_PRODUCTION := $(PY) -m runtime.environment production --
# One whose commits cost what they cost in production.
WITH_DURABLE_DATABASE := $(PY) -m runtime.postgres run --ephemeral --durable --unless-given --
PORT ?= 8000
# TZ stands in many environments; only one given to make is meant for the replay.
GIVEN_TZ := $(filter command line,$(origin TZ))
# Without compiled modules every start of Python would compile some thousand of them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help python venv venv-dev demo demo-reset backup restore doctor test test-deep lint format configuration messages \
	bench replay replay-stop walkthrough venv-bench chromium node audit screenshots

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile

python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python >= 3.11 is needed. Install it (as root, or with sudo):" >&2; \
		if [ "$$(uname)" = Darwin ]; then echo "  brew install python@3.13" >&2; \
		else echo "  apt-get update && apt-get install -y python3 python3-venv" >&2; fi; \
		exit 1; \
	fi

venv: python ## Make .venv with what Weft runs on
	@"$(PYTHON)" -m runtime.install requirements.txt

venv-dev: python ## Make .venv with what tests and checks need as well
	@"$(PYTHON)" -m runtime.install requirements-dev.txt

venv-bench: venv-dev
	@"$(PYTHON)" -m runtime.install requirements-bench.txt

demo: venv ## Run the whole system here, ERP included, until Ctrl-C (PORT=8000)
	@exec $(PY) -m runtime.demo --follow-parent --port $(PORT)

demo-reset: venv ## Remove the demo's data
	@exec $(PY) -m runtime.demo --reset

chromium: venv-dev
	@$(PY) -m runtime.chromium

node: venv-dev
	@$(PY) -m tests.sandbox.payments.node

test: venv-dev chromium node ## Run all tests on a real PostgreSQL, and in a real browser
	@$(WITH_DATABASE) $(FOR_TESTS) $(PY) -m pytest -n 2 --dist loadgroup $(ARGS)

test-deep: venv-dev chromium node ## The same with the long forms
	@WEFT_DEEP=1 $(WITH_DATABASE) $(FOR_TESTS) $(PY) -m pytest -n 2 --dist loadgroup $(ARGS)

lint: venv-dev ## Style, types, import floors, migrations, production settings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(FOR_TESTS) $(PY) -m mypy integrations/hub shop/stock
	.venv/bin/lint-imports
	$(WITH_DATABASE) $(FOR_TESTS) $(PY) manage.py makemigrations --check --dry-run
	$(FOR_PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

format: venv-dev ## Format the code and mend what can be mended by itself
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

configuration: venv-dev ## Write the settings' reference and .env.example from the settings
	@$(FOR_TESTS) $(PY) manage.py configuration

backup: venv ## One archive of database and uploads ([TO=folder]; KEYS=file writes the keys, apart)
	@exec $(PY) manage.py backup $(if $(TO),--to "$(TO)") $(if $(KEYS),--keys "$(KEYS)")

restore: venv ## Bring one back: all or nothing (FILE=... [REPLACE=1] [PAUSED=1])
	@exec $(PY) manage.py restore "$(FILE)" $(if $(REPLACE),--replace) $(if $(PAUSED),--paused)

doctor: venv ## Examine a running installation, and say what to do
	@exec $(PY) manage.py doctor

messages: venv-dev ## Bring both translation catalogues up to date and compile them
	$(WITH_DATABASE) $(FOR_TESTS) $(PY) manage.py translations

replay: venv ## Real transactions through the system (FILE=... [LIMIT=] [STOCK=] [TZ=] [CURRENCY=])
	@exec $(PY) -m runtime.replay $(if $(FILE),"$(FILE)") $(if $(LIMIT),--limit "$(LIMIT)") \
		$(if $(STOCK),--stock "$(STOCK)") $(if $(GIVEN_TZ),--tz "$(TZ)") $(if $(CURRENCY),--currency "$(CURRENCY)")

replay-stop: venv ## End the database server that replays left running
	@exec $(PY) -m runtime.replay --stop

screenshots: venv-dev ## Photograph every page, both languages, two widths, into var/screenshots (ARGS="--only order")
	@$(PY) -m runtime.chromium --needed --fonts
	@$(PY) -m runtime.postgres run --ephemeral -- $(FOR_TESTS) $(PY) -m tests.screenshots $(ARGS)

bench: venv-bench ## Measure speed beside baselines (ONLY=page|checkout|stock|channels|outgoing|hub|payments|replay|api)
	@$(WITH_DURABLE_DATABASE) $(FOR_TESTS) $(PY) -m bench $(if $(ONLY),--only $(ONLY))

audit: venv-dev ## Lighthouse and axe on the buyers' pages (RUNS=3); reports in var/audit
	@$(PY) -m runtime.chromium --needed
	@$(WITH_DATABASE) $(FOR_TESTS) $(PY) -m audit $(if $(RUNS),--runs "$(RUNS)")

walkthrough: venv ## Walk one order through shop and ERP, over HTTP (needs a running demo)
	@exec $(PY) manage.py walkthrough
