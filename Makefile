# The words: setup, check, fix, test, bench, demo, grafana, deb, audit, lock; and torture, soak, deb-test for long
# nights. Nothing but Python 3.11, venv and make is needed; for the two deb words also dpkg-deb, and for deb-test root,
# debootstrap and systemd-nspawn.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

# The tests start the program some hundreds of times: compiled once, it is twice as quick.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup check fix test torture soak bench demo grafana deb deb-test audit lock

setup: $(VENV)/ready                     ## make the virtual environment from the lock file

$(VENV)/ready: requirements-dev.lock pyproject.toml
	@echo "Installing the libraries and the tools into $(VENV) (about a minute) ..."
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

check: setup                             ## format, lint, types, import contracts: as CI does
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: setup                               ## repair what a machine can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: setup                              ## all tests; six at once, as many of them wait for a clock or a peer
	$(BIN)/python -m pytest -n 6 --dist worksteal

torture: setup                           ## every promise under every fault, at full size: hours
	$(BIN)/python -m tests.torture

soak: setup                              ## a hotel year in virtual time; ten minutes on real sockets
	$(BIN)/python -m tests.torture.year
	$(BIN)/python -m tests.soak --minutes 10
	$(BIN)/python -m tests.soak --minutes 10 --protocol mitel --serial

bench: setup                             ## the table of bench/README.md: ten minutes on a quiet machine
	$(BIN)/python -m bench

demo: $(if $(wildcard $(VENV)/ready),,$(VENV)/program)  ## a PMS, the gateway, a UCM, and a hotel day between them
	$(BIN)/python -m gateway demo --once

$(VENV)/program: requirements.lock       # what the program needs, without the tools of those who change it
	@echo "Installing the program's libraries into $(VENV) (half a minute with a quick network) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

grafana: setup                           ## write the dashboards and the table of their panels
	$(BIN)/python -m grafana.make

deb: setup                               ## the Debian packages for amd64 and arm64, in dist/
	$(BIN)/python deploy/debian/build.py

deb-test: setup                          ## as root: install, upgrade, roll back, purge on a fresh Debian 12 and 13
	$(BIN)/python -m tests.deploy.machine --suite bookworm
	$(BIN)/python -m tests.deploy.machine --suite trixie

audit: setup                             ## known weaknesses of the locked libraries (needs pip-audit and its databases)
	pip-audit --strict --disable-pip --require-hashes -r requirements.lock

lock: setup                              ## renew both lock files (needs uv)
	uv pip compile pyproject.toml --extra postgresql --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --universal --python-version 3.11 --upgrade -q -o requirements.lock
	uv pip compile pyproject.toml --extra postgresql --group dev --generate-hashes --no-emit-index-url --no-annotate \
	    --no-header --universal --python-version 3.11 --upgrade -q -o requirements-dev.lock
