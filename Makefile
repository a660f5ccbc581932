# Both commands make .venv and install what they need by themselves; the stamps make a second run start at once.
PYTHON ?= python3
BIN := .venv/bin
# Two test processes share two cores: a second torch thread in either makes both many times slower.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

.PHONY: demo test

demo: .venv/demo.stamp
	$(BIN)/dreamplay demo --out runs/demo

test: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) -m "not slow"
	$(PYTEST) -m slow

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Dreamplay needs Python 3.10 or newer: make PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/demo.stamp: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/python -m pip install -c constraints.txt -e .
	touch $@

# The development install holds the demo's, so it spares `make demo` its own.
.venv/test.stamp: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'
	touch .venv/demo.stamp $@
