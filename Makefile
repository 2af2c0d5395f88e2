# The commands of README.md and of CI. Every command sets up .venv first, once.
# Needs make, a POSIX shell and Python 3.11 or newer; asks for whatever else is missing in one line.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help ask browser test lint types contract check format reference constraints clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.complete
UNFINISHED := $(VENV)/.installing
LOG := $(VENV)/install.log
PLAYWRIGHT = $(or $(PLAYWRIGHT_BROWSERS_PATH),$(HOME)/.cache/ms-playwright)
EXTRAS := dev,serve
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input

# 3.11 first: it is what the pinned versions are tested with.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
  if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
FOUND = $(shell $(or $(PYTHON),python3) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
OLD = $(shell $(PYTHON) -c 'import sys; print("yes" if sys.version_info < (3, 11) else "")' 2>/dev/null)
NO_VENV = $(shell $(PYTHON) -c 'import venv, ensurepip' >/dev/null 2>&1 || echo yes)
INSTALL_PYTHON = install it ("sudo apt install python3.11 python3.11-venv" or "brew install python@3.11"), or name yours: make PYTHON=/path/to/python3.11

# The question reaches the command through the environment, never through a shell or make expansion:
# it may hold quotes, dollars and backticks.
unexport Q
ask: export ASKED := $(value Q)
ifneq ($(filter ask,$(MAKECMDGOALS)),)
ifeq ($(strip $(value Q)),)
$(error make ask needs a question: make ask Q="what does feature 12 respond to?")
endif
endif

help: ## show these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

ask: $(READY) ## answer a question: make ask Q="what does feature 12 respond to?"
	@$(BIN)/lmmscope ask -- "$$ASKED"

test: $(READY) browser ## run the tests; some of them: make test ARGS="tests/prompts -x"
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-2} $(BIN)/python -m pytest $(ARGS)

# The review application is tested in a real browser: one that is there, or Debian's, or Playwright's.
browser: $(READY)
	@for name in chromium chromium-browser google-chrome; do \
	  if command -v $$name >/dev/null 2>&1; then exit 0; fi; done; \
	if ls $(PLAYWRIGHT)/chromium-* >/dev/null 2>&1; then exit 0; fi; \
	echo "installing a browser for the tests (once) ..."; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  { apt-get update && apt-get install -y --no-install-recommends chromium; } >> $(LOG) 2>&1 && exit 0; fi; \
	timeout 300 $(BIN)/python -m playwright install chromium >> $(LOG) 2>&1 && exit 0; \
	echo "NO BROWSER: tests of the review application in a browser are skipped. Try: sudo apt install chromium" >&2

lint: $(READY) ## check style and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY) ## check types
	@$(BIN)/ty check

contract: $(READY) ## check that imports point one way
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

check: lint types contract test ## all four

format: $(READY) ## put imports and layout in order
	@$(BIN)/ruff check --select I --fix --quiet . && $(BIN)/ruff format .

reference: $(READY) ## write docs/commands.md from every command's --help
	@$(BIN)/python -m typer lmmscope.cli utils docs --name lmmscope --title Commands --output docs/commands.md

constraints: ## pin anew what a fresh install gets; another torch: make constraints TORCH=2.14.0
	$(python-is-here)
	@set -eu; room=$$(mktemp -d); trap 'rm -rf "$$room"' EXIT; \
	torch=$(if $(TORCH),torch==$(TORCH),$$(grep '^torch==' constraints.txt)); \
	echo "$$torch" > "$$room/torch.txt"; \
	"$(PYTHON)" -m venv "$$room/venv"; \
	echo "installing $$torch and the newest of the rest ..."; \
	"$$room/venv/bin/python" -m pip install -qq -c "$$room/torch.txt" torch; \
	"$$room/venv/bin/python" -m pip install -qq -c "$$room/torch.txt" -e '.[$(EXTRAS)]'; \
	{ echo '# Written by `make constraints`: the exact versions that are tested together.'; \
	  "$$room/venv/bin/python" -m pip freeze --all --exclude pip --exclude-editable \
	  | sed -e '/ @ /d' -e 's/+cpu$$//'; } > "$$room/new.txt"; \
	mv "$$room/new.txt" constraints.txt; echo "wrote constraints.txt"

clean: ## remove .venv, caches and builds; runs stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A Python that will do, or one line about what is missing.
define python-is-here
$(if $(PYTHON),,$(error $(if $(FOUND),python3 is Python $(FOUND)$(,) lmmscope needs 3.11 or newer: ,no Python found$(,) lmmscope needs 3.11 or newer: )$(INSTALL_PYTHON)))
$(if $(FOUND),,$(error PYTHON=$(PYTHON) does not run$(,) lmmscope needs Python 3.11 or newer: $(INSTALL_PYTHON)))
$(if $(OLD),$(error $(PYTHON) is Python $(FOUND)$(,) lmmscope needs 3.11 or newer: $(INSTALL_PYTHON)))
$(if $(NO_VENV),$(error $(PYTHON) has no venv or ensurepip module: sudo apt install python$(FOUND)-venv))
endef
, := ,

# .installing marks an install of ours as unfinished; only the last step renames it to .complete, so
# one that was interrupted is thrown away and done again. A .venv without either mark is the user's
# own: it is installed into and never removed.
$(READY): constraints.txt pyproject.toml
	$(python-is-here)
	@set -eu; \
	if [ -e $(UNFINISHED) ]; then echo "an earlier install was interrupted: starting again"; \
	  find $(VENV) -mindepth 1 -maxdepth 1 ! -name .installing -exec rm -rf {} +; \
	elif [ -e $(READY) ]; then mv $(READY) $(UNFINISHED); \
	elif [ ! -e $(VENV) ]; then mkdir $(VENV); : > $(UNFINISHED); fi; \
	run() { "$$@" >> $(LOG) 2>&1 || { tail -n 15 $(LOG) >&2; echo "the install failed; the whole log is in $(LOG)" >&2; exit 1; }; }; \
	: > $(LOG); \
	[ -x $(BIN)/python ] || run "$(PYTHON)" -m venv $(VENV); \
	echo "installing torch (once, about a minute) ..."; \
	run $(PIP) install -c constraints.txt torch; \
	echo "installing lmmscope and what it needs (once, about a minute) ..."; \
	run $(PIP) install -c constraints.txt -e '.[$(EXTRAS)]'; \
	rm -f $(UNFINISHED); : > $(READY)
