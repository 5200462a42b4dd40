# Two commands matter: `make dashboard` and `make test`. Each does all of its set-up in .venv and is quick the second time.
# One environment with two levels: serving (no torch), and everything (the study and the tests on top, same versions).

.DEFAULT_GOAL := help
.NOTPARALLEL:
PORT ?= 8866
TESTS ?= tests
DATA ?= data
OUT ?= runs/train
BUNDLE := blood_lib/bundles/pbc
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$python; break; }; done)
BIN := .venv/bin
SERVE := .venv/.serve
ALL := .venv/.all
ESLINT := $(if $(shell command -v npm),node_modules/.eslint)
# glibc gives large blocks back to the system after each training step, and clearing new ones takes a third of the time.
KEEP_MEMORY := MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := $(BIN)/python -m uv pip compile pyproject.toml --quiet

# An environment whose Python is gone, or that was made in another place, is made again.
$(shell test -x $(BIN)/python && test "$$(cat .venv/.python 2>/dev/null)" = "$(CURDIR)" || rm -f .venv/.python $(SERVE) $(ALL))

help:  ## this list
	@echo "Usage: make COMMAND"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  %-10s %s\n' "$$name" "$$text"; done

dashboard: $(SERVE)  ## install what serving needs and open the dashboard on http://localhost:8866 (PORT=8866)
	@$(BIN)/python -m blood_lib serve --port $(PORT)

test: $(ALL)  ## install what testing needs and run every test (TESTS=tests/test_images.py for one file)
	@$(BIN)/python -m pytest -m "" -n 2 --dist loadfile $(TESTS)

lint: $(ALL) $(ESLINT)  ## check code and notebooks with ruff, types with mypy, the dashboard's scripts with eslint
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@if test -e node_modules/.eslint; then node_modules/.bin/eslint .; \
		else echo "eslint was skipped, so the dashboard's scripts were not checked: it needs npm and its registry."; fi

docs: $(ALL)  ## build the documentation's site into build/docs
	@$(BIN)/python -m docs.tools

lab: $(ALL)  ## open the notebooks in JupyterLab
	@$(BIN)/python -m jupyterlab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/01_explore.ipynb

study: $(ALL)  ## run the notebooks in order, into a dated folder with an HTML copy of each (PROFILE=quick for minutes)
	@$(BIN)/python -m blood_lib study $(addprefix --profile ,$(PROFILE)) $(ARGS)

train: $(ALL)  ## train the model that ships, after its two teachers, and export its bundle (DATA=the dataset, OUT=the run)
	@for n in 1 2; do $(KEEP_MEMORY) $(BIN)/python -m blood_lib train $(DATA) --out $(OUT)-teacher-$$n --no-bundle \
		--recipe $(BUNDLE)/teachers/$$n/recipe.json $(ARGS) || exit; done
	@$(KEEP_MEMORY) $(BIN)/python -m blood_lib train $(DATA) --out $(OUT) --recipe $(BUNDLE)/recipe.json \
		--teacher $(OUT)-teacher-1 --teacher $(OUT)-teacher-2 $(ARGS)

bench: $(ALL)  ## measure the speed figures, each beside its alternative
	@$(BIN)/python -m benchmarks $(ARGS)

# Everything is resolved first, then its parts at the same versions. What is locked keeps its version where that still fits.
lock: | .venv/.python  ## write requirements/*.txt anew from pyproject.toml (ARGS=--upgrade for the newest versions)
	@$(PIP) $$(grep -o '^uv==[^ ]*' requirements/test.txt || echo uv)
	@$(LOCK) --extra test --output-file requirements/test.txt $(ARGS)
	@$(LOCK) --group build --generate-hashes --constraint requirements/test.txt --output-file requirements/serve.txt
	@$(LOCK) --group build --extra study --constraint requirements/test.txt --output-file binder/requirements.txt \
		--no-emit-package torch --no-emit-package torchvision

clean:  ## remove the environment and what tools left behind
	rm -rf .venv node_modules build dist .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written when its step has ended well, so what was interrupted starts again.
.venv/.python:
	@python="$(PYTHON)"; \
	test -n "$$python" || { echo "Python 3.11 or newer is needed: install it, or say where it is (make $(MAKECMDGOALS) PYTHON=...)."; exit 1; }; \
	echo "Creating the environment .venv with $$("$$python" --version) ..."; \
	"$$python" -m venv --clear .venv || { echo "Python's venv module is needed (on Debian and Ubuntu: apt-get install python3-venv)."; exit 1; }
	@echo "$(CURDIR)" > $@

$(SERVE): requirements/serve.txt pyproject.toml | .venv/.python
	@echo "Installing what serving needs: $$(grep -c == requirements/serve.txt) packages (once; half a minute to a few minutes) ..."
	@$(PIP) --require-hashes --requirement requirements/serve.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(ALL): requirements/test.txt $(SERVE)
	@echo "Installing the study and the tests: $$(grep -c == requirements/test.txt) packages (once; some minutes) ..."
	@$(PIP) --use-pep517 --requirement requirements/test.txt
	@touch $@

node_modules/.eslint: package-lock.json
	@echo "Installing eslint (once; some seconds) ..."
	@npm ci --silent --no-audit --no-fund && touch $@ || true  # without the registry `lint` says so

.PHONY: help dashboard test lint docs lab study train bench lock clean
