# Everything runs in an environment of its own, .venv, made on first use.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# Where `make install` puts things; DESTDIR is for packagers.
PREFIX     ?= /opt/astcti
SYSCONFDIR ?= /etc
DOCDIR     ?= /usr/share/doc/asteriskcti
UNITDIR    ?= /lib/systemd/system
SYSTEM     ?= $(if $(DESTDIR),,yes)
# What `make install` installs: the server, and the Configurator if asked for or installed already.
COMPONENTS ?= server $(if $(wildcard $(DESTDIR)$(UNITDIR)/astcti-configurator.service),configurator)
# The server runs as a user of its own, who cannot read a Python in somebody's home.
SYSTEM_PYTHON ?= $(firstword $(wildcard /usr/bin/python3) $(PYTHON))

.PHONY: setup demo test check lint unit bench dist screenshots client-bundle install clean

setup: $(READY)

$(READY): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "AsteriskCTI needs Python 3.11 or later: $$($(PYTHON) -V) found; name another with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "No virtual environment could be made: apt-get install python3-venv" >&2; exit 1; }
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[server,client,configurator,dev]'
	@touch $@

# The main job on one screen: demo PBX, server and client; a call pops up within seconds. Ctrl-C ends it.
demo: $(READY)
	@exec $(BIN)/python -m astcti_server.demo.stage $(DEMO_ARGS)

# All checks and tests. As root it installs what the tests with a real Asterisk, a browser and a screen need, as
# another user those are left out; with CI=true a missing part is a failure.
test: $(READY) $(VENV)/.browser lint
	@tests/system-packages.sh
	$(BIN)/python -m pytest $(PYTEST_ARGS)

$(VENV)/.browser: $(READY)
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[browser]'
	@touch $@

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

# The tests that need nothing but Python.
unit: $(READY)
	$(BIN)/python -m pytest -m 'not asterisk and not install and not browser' $(PYTEST_ARGS)

# Speed, on the Python that servers run on: distributions build theirs optimised, which is worth a factor of 1.6.
# Its environment has what the server needs, not the server: each version that is measured brings its own.
BENCH_VENV   ?= .venv-bench
BENCH_PYTHON := $(if $(filter file,$(origin PYTHON)),$(SYSTEM_PYTHON),$(PYTHON))
BENCH_READY  := $(BENCH_VENV)/.ready$(subst /,-,$(BENCH_PYTHON))
bench: $(BENCH_READY) ## speed, as ratios measured side by side
	$(BENCH_VENV)/bin/python -m tests.bench $(BENCH_ARGS)

$(BENCH_READY): setup.cfg
	@rm -rf $(BENCH_VENV)
	@$(BENCH_PYTHON) -m venv $(BENCH_VENV) || \
	  { echo "No virtual environment could be made with $(BENCH_PYTHON): apt-get install python3-venv" >&2; exit 1; }
	PYTHONWARNINGS=ignore $(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[server]'
	PYTHONWARNINGS=ignore $(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[bench]' || \
	  echo "Other manager clients could not be installed: the bench does without them"
	$(BENCH_VENV)/bin/pip uninstall --quiet --yes asteriskcti
	@touch $@

dist: $(READY)
	$(BIN)/python -m build --outdir dist .

# Pictures of the client's windows: all of them in build/screenshots, those of the documents in docs/screenshots.
screenshots: $(READY)
	@$(BIN)/python -c 'import tkinter' || \
	  { echo "This Python has no tkinter: apt-get install python3-tk, make clean, and PYTHON=/usr/bin/python3" >&2; exit 1; }
	$(BIN)/python -m tests.client.ui.screenshots

# A folder, dist/astcti-client, that runs the client on PCs without Python. BUNDLE_BROWSER=yes puts the client's own
# browser window in on Linux too: some 600 MB.
BUNDLE_BROWSER ?= no
client-bundle: $(READY) $(if $(filter yes,$(BUNDLE_BROWSER)),$(VENV)/.browser)
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check 'pyinstaller>=6.6,<7'
	BUNDLE_BROWSER=$(BUNDLE_BROWSER) $(BIN)/pyinstaller --noconfirm --log-level WARN --distpath dist --workpath build/client-bundle packaging/client.spec

# As root on the machine that shall run the server: program, sample configuration, init script and unit. With
# COMPONENTS='server configurator' the web application too. The mode of a directory that is there stays.
# The umask: root's own may be one that keeps the server's user from reading the program. The copy: a build here
# would leave root's files, and put in what an earlier build left.
SOURCES := setup.cfg pyproject.toml README.md LICENSE astcti_server astcti_client configurator schemas
install:
	@umask 022; $(SYSTEM_PYTHON) -m venv $(DESTDIR)$(PREFIX) || \
	  { echo "No virtual environment could be made with $(SYSTEM_PYTHON): apt-get install python3-venv" >&2; exit 1; }
	@umask 022; set -e; copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; cp -R $(SOURCES) "$$copy"; \
	  $(DESTDIR)$(PREFIX)/bin/pip install --quiet "$$copy[$(subst $(SPACE),$(COMMA),$(strip $(COMPONENTS)))]"
	install -d $(DESTDIR)/usr/bin $(DESTDIR)$(DOCDIR)/examples
	ln -sf $(PREFIX)/bin/astcti-server $(DESTDIR)/usr/bin/astcti-server
	test -d $(DESTDIR)$(SYSCONFDIR)/astcti || install -d -m 750 $(DESTDIR)$(SYSCONFDIR)/astcti
	install -d -m 750 $(DESTDIR)/var/lib/astcti
	install -m 644 astcti_server/etc/sample/server.xml astcti_server/etc/sample/configuration.xml $(DESTDIR)$(DOCDIR)/examples
	$(call install-service,astcti-server,astcti_server/etc)
ifneq ($(SYSTEM),)
	astcti_server/etc/create-user.sh
endif
ifneq ($(filter configurator,$(COMPONENTS)),)
	ln -sf $(PREFIX)/bin/astcti-configurator $(DESTDIR)/usr/bin/astcti-configurator
	install -d -m 750 $(DESTDIR)/var/lib/astcti-configurator
	$(call install-service,astcti-configurator,configurator/etc)
ifneq ($(SYSTEM),)
	configurator/etc/create-user.sh
endif
endif
	@echo "Installed. Copy $(DOCDIR)/examples/*.xml to $(SYSCONFDIR)/astcti, edit them, run: astcti-server check"

define install-service
install -D -m 755 $(2)/$(1).init $(DESTDIR)$(SYSCONFDIR)/init.d/$(1)
install -D -m 644 $(2)/$(1).service $(DESTDIR)$(UNITDIR)/$(1).service
test -e $(DESTDIR)$(SYSCONFDIR)/default/$(1) || install -D -m 644 $(2)/$(1).default $(DESTDIR)$(SYSCONFDIR)/default/$(1)
install -D -m 644 $(2)/$(1).logrotate $(DESTDIR)$(SYSCONFDIR)/logrotate.d/$(1)
endef

COMMA := ,
SPACE := $(subst ,, )

clean:
	rm -rf $(VENV) $(BENCH_VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
