# make arena   a rated 9x9 Go tournament: standings, game records, a report to open
# make test    the tests        make check   ruff and mypy        make bench   the benchmarks
# Each sets up .venv first; only Python 3.11+, git and make are needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PYTEST := $(BIN)/python -m pytest -m "not slow and not gpu and not engines and not browser"
LAST := tests/test_kernels.py::test_no_kernel_was_compiled_twice_by_the_tests_before
FOLDERS := boards envs agents arena sgf

.PHONY: arena test test-arena test-others check bench clean

arena: $(VENV)/.installed
	$(BIN)/sakiyomi tournament examples/arena.toml

# Two halves side by side; the first one's output follows when both are done.
test: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory --keep-going -j 2 test-arena test-others; code=$$?; \
	cat $(VENV)/tests-arena.log && rm -f $(VENV)/tests-arena.log; exit $$code

test-arena: $(VENV)/.installed-dev
	@$(PYTEST) tests/arena $(LAST) >$(VENV)/tests-arena.log 2>&1

test-others: $(VENV)/.installed-dev
	@$(PYTEST) --ignore=tests/arena

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=.types $(BIN)/mypy -p sakiyomi

bench: $(VENV)/.installed-bench
	$(BIN)/sakiyomi bench

clean:
	rm -rf $(VENV) .types build *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, {sys.executable} is {v[0]}.{v[1]}: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (some minutes, once)"
	$(PIP) -e ".[torch,cpu]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) -e ".[dev,plots]"
	@mkdir -p .types/sakiyomi && for f in $(FOLDERS); do ln -sfn ../../$$f .types/sakiyomi/$$f; done
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(PIP) -e ".[bench]"
	@touch $@
