# Two commands do all the set-up on a fresh Debian machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
# Qt and VTK need a screen; Xvfb gives one where there is none.
export QT_API := pyside6
export OMP_WAIT_POLICY := passive
SCREEN = $(if $(DISPLAY),,env QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1600x1000x24 -nolisten tcp")

.PHONY: demo app test lint pytest pytest-engine pytest-window bench system wheel bundle clean

demo: $(STAMP)
	$(SCREEN) $(PY) -X faulthandler -m heartseg_gui.demo out/demo $(if $(DISPLAY),,--pictures-only)

app: $(STAMP)
	$(VENV)/bin/heartseg-gui

test: $(STAMP) lint pytest

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# The engine's tests beside all others: two processes, each with one thread for sums.
pytest: $(STAMP)
	$(MAKE) --no-print-directory -j2 --output-sync=line pytest-engine pytest-window

pytest-engine: $(STAMP)
	OMP_NUM_THREADS=1 $(PY) -X faulthandler -m pytest tests/engine $(ARGS)

pytest-window: $(STAMP)
	env -u DISPLAY OMP_NUM_THREADS=1 QT_QPA_PLATFORM=xcb \
		xvfb-run -a -s "-screen 0 1600x1000x24 -nolisten tcp" \
		$(PY) -X faulthandler -m pytest --ignore=tests/engine $(ARGS)

bench: $(STAMP)
	env -u DISPLAY QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1600x1000x24 -nolisten tcp" \
		$(PY) -m tests.bench

system:
	@sh packaging/install-system-packages.sh

$(STAMP): pyproject.toml packaging/system-packages.txt
	@sh packaging/install-system-packages.sh
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet -e ".[dev]"
	touch $@

wheel: $(STAMP)
	$(PY) -m build --wheel

# One folder with both programs that needs no Python: out/bundle/heartseg. Takes minutes, 1.5 GB.
bundle: $(STAMP)
	$(PY) -m pip install --quiet -e ".[bundle]"
	$(PY) -m PyInstaller --noconfirm --distpath out/bundle --workpath out/bundle-work \
		packaging/heartseg.spec

clean:
	rm -rf $(VENV) out build dist *.egg-info
