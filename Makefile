# Everything runs in an environment of its own, .venv, made on first use.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# Container images set it. Every start of a program would then compile all its modules anew: as long as it runs.
unexport PYTHONDONTWRITEBYTECODE

# Where `make install` puts things; DESTDIR is for packagers.
PREFIX     ?= /opt/astcti
SYSCONFDIR ?= /etc
DOCDIR     ?= /usr/share/doc/asteriskcti
UNITDIR    ?= /lib/systemd/system
MANDIR     ?= /usr/share/man
BASHDIR    ?= /usr/share/bash-completion/completions
# Where Debian's zsh looks; others have /usr/share/zsh/site-functions.
ZSHDIR     ?= /usr/share/zsh/vendor-completions
SYSTEM     ?= $(if $(DESTDIR),,yes)
# What `make install` installs: the server, and if asked for or installed already the Configurator, what <metrics>
# needs, and the Configurator's ways of logging in beside the password.
COMPONENTS ?= server $(if $(wildcard $(DESTDIR)$(UNITDIR)/astcti-configurator.service),configurator) \
  $(if $(wildcard $(INSTALLED)/prometheus_client),metrics) $(if $(wildcard $(INSTALLED)/django_otp),two-factor) \
  $(if $(wildcard $(INSTALLED)/mozilla_django_oidc),openid)
INSTALLED   = $(DESTDIR)$(PREFIX)/lib/python3*/site-packages
# The server runs as a user of its own, who cannot read a Python in somebody's home.
SYSTEM_PYTHON ?= $(firstword $(wildcard /usr/bin/python3) $(PYTHON))

# What is distributed.
SOURCES := setup.cfg pyproject.toml README.md LICENSE astcti_server astcti_client configurator schemas

.PHONY: help setup demo explain-flood test lint unit coverage mutants pythons test-calls test-cuts fuzz fuzz-table soak soak-table bench profile bench-figures dist deb lock man screenshots client-bundle install clean

help: ## this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## .venv, with everything that a developer needs

$(READY): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "AsteriskCTI needs Python 3.11 or later: $$($(PYTHON) -V) found; name another with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "No virtual environment could be made: apt-get install python3-venv" >&2; exit 1; }
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[server,client,configurator,dev]'
	@touch $@

# Ctrl-C ends it.
demo: $(READY) ## the main job on one screen, with a PBX that plays calls
	@exec $(BIN)/python -m astcti_server.demo.stage $(DEMO_ARGS)

# All checks and tests. As root it installs what the tests with a real Asterisk, a browser and a screen need, as
# another user those are left out; with CI=true a missing part is a failure, and `pythons` goes on beside the windows.
# Two processes share what does not need the machine for itself: PYTEST_ARGS='-n 0' makes it one at a time.
test: $(READY) $(VENV)/.browser lint ## all checks and tests
	@tests/system-packages.sh
	$(BIN)/python -m tests.checks.all_tests $(if $(CI),--pythons) $(PYTEST_ARGS)

$(VENV)/.browser: $(READY)
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[browser]'
	@touch $@

lint: $(READY) ## ruff (rules and format) and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/mypy --no-warn-unused-configs packaging/help_files.py packaging/environment.py

NOTHING_BUT_PYTHON := not asterisk and not install and not browser and not endurance
unit: $(READY) ## the tests that need nothing but Python
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m '$(NOTHING_BUT_PYTHON)' $(PYTEST_ARGS)

# The windows are left out: they run in the system's Python, which has Tk. The report is build/coverage/html, too.
MEASURED := tests/schemas tests/server tests/client --ignore=tests/client/ui tests/configurator
coverage: $(READY) ## what of the programs `unit` goes through, with bars for five packages
	@rm -rf build/coverage; mkdir -p build/coverage
	$(BIN)/coverage run -m pytest -m '$(NOTHING_BUT_PYTHON)' $(MEASURED) $(PYTEST_ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage html --quiet --directory build/coverage/html
	@$(BIN)/coverage json --quiet -o build/coverage/coverage.json
	@$(BIN)/python -m tests.checks.coverage_bars build/coverage/coverage.json

# Takes some twenty minutes. Of the same SEED the same ones.
N    ?= 200
SEED ?= 1
mutants: $(VENV)/.mutants ## whether the tests notice mistakes: N=200 of them, drawn with SEED=1
	@$(BIN)/python -m tests.checks.mutants $(N) $(SEED)

$(VENV)/.mutants: $(READY)
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[mutants]'
	@touch $@

pythons: $(READY) ## the tests of the server's and the client's core on each other Python from 3.11 on that is here
	@$(BIN)/python -m tests.checks.pythons

# The matrix of calls on real Asterisks, as root: VERSIONS=22,16 SAMPLE=20 SEED=1 ONLY=text choose some of it. What is
# not right is kept in build/test-calls.
VERSIONS ?= 22,16
test-calls: $(READY) ## some 600 calls on real Asterisks, compared with what the phones did
	$(BIN)/python -m tests.asterisk.matrix --versions '$(VERSIONS)' $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(filter-out file,$(origin SEED)),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)')

# 200 cuts at random bytes, and clients that sleep, move and are killed: CUTS=200 SEED=1 choose others.
test-cuts: $(READY) ## real clients lose the real server at any byte: nothing is lost, nothing comes twice
	CUTS=$(or $(CUTS),200) $(if $(filter-out file,$(origin SEED)),SEED=$(SEED)) $(BIN)/python -m pytest -v -o timeout=3600 -o faulthandler_timeout=0 tests/cuts/test_real_cuts.py

# Speed, on the Python that servers run on: distributions build theirs optimised, which is worth a factor of 1.6.
# Its environment has what the server needs, not the server: each version that is measured brings its own.
BENCH_VENV   ?= .venv-bench
BENCH_PYTHON := $(if $(filter file,$(origin PYTHON)),$(SYSTEM_PYTHON),$(PYTHON))
BENCH_READY  := $(BENCH_VENV)/.ready$(subst /,-,$(BENCH_PYTHON))

# Every parser of the programs, with inputs that nobody meant, in the Python that servers run on. Runs add up in
# build/fuzz until each parser has INPUTS: Ctrl-C stops one at any time. ONLY=ami,xml chooses, FUZZ_SECONDS=600 is
# processor time in all, JOBS=1 leaves the other processors alone. What is found is saved in tests/fuzz/findings.
INPUTS ?= 1000000
fuzz: $(BENCH_READY) ## every parser with INPUTS=1000000 inputs that nobody meant, of SEED=1
	$(BENCH_VENV)/bin/python -m tests.fuzz --inputs $(INPUTS) --seed $(SEED) $(if $(ONLY),--only '$(ONLY)') $(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS)) $(if $(JOBS),--jobs $(JOBS)) --progress build/fuzz --table build/fuzz/table.md

fuzz-table: $(BENCH_READY) ## the table of docs/security.md, with what `make fuzz` tried here of SEED=1 so far
	$(BENCH_VENV)/bin/python -m tests.fuzz.publish --seed $(SEED)

explain-flood: $(READY) ## CALLS=100000 through the demo PBX within MINUTES=30: what explanations cost is bounded
	$(BIN)/python -m tests.server.explain.flood --calls $(or $(CALLS),100000) --minutes $(or $(MINUTES),30)

# Faults are drawn from SEED; RATE= is calls a second, without it what the machine carries. ONLY=text chooses faults.
# As root a full disk is among them.
soak: $(READY) ## MINUTES=60 of calls while server, PBX, clients and network fail, from SEED: every call pops up once
	$(BIN)/python -m tests.endurance --minutes $(or $(MINUTES),60) --seats $(or $(SEATS),500) $(if $(RATE),--rate $(RATE)) $(if $(filter-out file,$(origin SEED)),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)')

soak-table: $(READY) ## the tables of docs/reliability.md, from the last run of `make soak`
	$(BIN)/python -m tests.endurance.publish

bench: $(BENCH_READY) ## speed, as ratios measured side by side
	$(BENCH_VENV)/bin/python -m tests.bench $(BENCH_ARGS)

profile: $(BENCH_READY) ## where a microsecond goes: what each kind of event costs, in which part of the server
	$(BENCH_VENV)/bin/python -m tests.bench.profile $(PROFILE_ARGS)

# The tables and pictures of docs/performance.md, from the last whole run: measure in a quiet hour. RUN names it, or several.
bench-figures: $(READY) ## the figures of docs/performance.md, from the last run of `make bench`
	$(BIN)/python -m tests.bench.publishing $(RUN)

$(BENCH_READY): setup.cfg
	@rm -rf $(BENCH_VENV)
	@$(BENCH_PYTHON) -m venv $(BENCH_VENV) || \
	  { echo "No virtual environment could be made with $(BENCH_PYTHON): apt-get install python3-venv" >&2; exit 1; }
	PYTHONWARNINGS=ignore $(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[server]'
	PYTHONWARNINGS=ignore $(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[bench]' || \
	  echo "Other manager clients could not be installed: the bench does without them"
	PYTHONWARNINGS=ignore $(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[client,configurator,metrics]' || \
	  echo "What client and Configurator need could not be installed: the bench leaves their scenarios out"
	PYTHONWARNINGS=ignore $(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[browser]' || \
	  echo "What the client's own browser window needs could not be installed: the bench leaves its pages out"
	$(BENCH_VENV)/bin/pip uninstall --quiet --yes asteriskcti
	@touch $@

# Of the same commit the same files, whoever builds them and when: packaging/build.sh. What builds them and what the
# packages carry is locked in packaging/locked; `make lock` renews that.
DIST_VENV  ?= .venv-dist
DIST_READY := $(DIST_VENV)/.ready
dist: $(DIST_READY) ## the wheel, the source archive, a bill of materials (CycloneDX) and SHA-256 sums, in dist
	packaging/build.sh dist $(DIST_VENV) $(SYSTEM_PYTHON) $(SOURCES)

deb: $(DIST_READY) ## Debian's packages for server, configurator and client, in dist
	@command -v dh >/dev/null || { echo "Packages need debhelper: apt-get install debhelper" >&2; exit 1; }
	packaging/build.sh deb $(DIST_VENV) $(SYSTEM_PYTHON) $(SOURCES)

$(DIST_READY): packaging/locked/build.txt
	@$(SYSTEM_PYTHON) -m venv $(DIST_VENV) || \
	  { echo "No virtual environment could be made with $(SYSTEM_PYTHON): apt-get install python3-venv" >&2; exit 1; }
	$(DIST_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  --requirement packaging/locked/build.txt
	@touch $@

# The newest that setup.cfg allows, for each Python from 3.11 on. EXTRAS are what a package has of it.
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
  --no-annotate --no-emit-index-url
lock: $(READY) ## renews packaging/locked: the versions, with hashes, that packages are built with
	$(LOCK) --extra server --extra metrics setup.cfg --output-file packaging/locked/server.txt
	$(LOCK) --extra configurator --extra two-factor --extra openid setup.cfg --output-file packaging/locked/configurator.txt
	$(LOCK) --extra client --extra right-to-left setup.cfg --output-file packaging/locked/client.txt
	$(LOCK) packaging/locked/build.in --output-file packaging/locked/build.txt

# What `make install` puts into the system comes from the installed programs, by the same script.
man: $(READY) ## manual pages and shell completion of all programs, in build/help
	@rm -rf build/help
	$(BIN)/python packaging/help_files.py build/help astcti-server astcti-configurator astcti-client

# Pictures of the client's windows: all of them in build/screenshots, those of the documents in docs/screenshots.
screenshots: $(READY) ## pictures of the client's windows
	@$(BIN)/python -c 'import tkinter' || \
	  { echo "This Python has no tkinter: apt-get install python3-tk, make clean, and PYTHON=/usr/bin/python3" >&2; exit 1; }
	$(BIN)/python -m tests.client.ui.screenshots

# A folder, dist/astcti-client, that runs the client on PCs without Python. BUNDLE_BROWSER=yes puts the client's own
# browser window in on Linux too: some 600 MB.
BUNDLE_BROWSER ?= no
client-bundle: $(READY) $(if $(filter yes,$(BUNDLE_BROWSER)),$(VENV)/.browser) ## the client for PCs without Python
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check 'pyinstaller>=6.6,<7'
	BUNDLE_BROWSER=$(BUNDLE_BROWSER) $(BIN)/pyinstaller --noconfirm --log-level WARN --distpath dist --workpath build/client-bundle packaging/client.spec

# As root on the machine that shall run the server: program, sample configuration, init script and unit. With
# COMPONENTS='server configurator' the web application too. The mode of a directory that is there stays.
# The umask: root's own may be one that keeps the server's user from reading the program. The copy: a build here
# would leave root's files, and put in what an earlier build left.
install: ## the server on this machine, as root
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
	$(call install-help,astcti-server)
ifneq ($(SYSTEM),)
	astcti_server/etc/create-user.sh
endif
ifneq ($(filter configurator,$(COMPONENTS)),)
	ln -sf $(PREFIX)/bin/astcti-configurator $(DESTDIR)/usr/bin/astcti-configurator
	install -d -m 750 $(DESTDIR)/var/lib/astcti-configurator
	$(call install-service,astcti-configurator,configurator/etc)
	$(call install-help,astcti-configurator)
ifneq ($(SYSTEM),)
	configurator/etc/create-user.sh
endif
endif
# A unit that changed is read before the restart, which goes by its ExecStop=.
ifneq ($(SYSTEM),)
	@if test -d /run/systemd/system; then systemctl daemon-reload; fi
endif
	@echo "Installed. Copy $(DOCDIR)/examples/*.xml to $(SYSCONFDIR)/astcti, edit them, run: astcti-server check"

define install-service
install -D -m 755 $(2)/$(1).init $(DESTDIR)$(SYSCONFDIR)/init.d/$(1)
install -D -m 644 $(2)/$(1).service $(DESTDIR)$(UNITDIR)/$(1).service
test -e $(DESTDIR)$(SYSCONFDIR)/default/$(1) || install -D -m 644 $(2)/$(1).default $(DESTDIR)$(SYSCONFDIR)/default/$(1)
install -D -m 644 $(2)/$(1).logrotate $(DESTDIR)$(SYSCONFDIR)/logrotate.d/$(1)
endef

# What an earlier version had and this one has not goes away, a program's pages have its name.
define install-help
rm -f $(DESTDIR)$(MANDIR)/man8/$(1).8 $(DESTDIR)$(MANDIR)/man8/$(1)-*.8
@set -e; made=$$(mktemp -d); trap 'rm -rf "$$made"' EXIT; \
  $(DESTDIR)$(PREFIX)/bin/python packaging/help_files.py "$$made" $(1); \
  install -d $(DESTDIR)$(MANDIR)/man8; install -m 644 "$$made"/man8/* $(DESTDIR)$(MANDIR)/man8; \
  install -D -m 644 "$$made/bash/$(1)" $(DESTDIR)$(BASHDIR)/$(1); \
  install -D -m 644 "$$made/zsh/_$(1)" $(DESTDIR)$(ZSHDIR)/_$(1)
endef

COMMA := ,
SPACE := $(subst ,, )

clean: ## away with everything that make made here
	rm -rf $(VENV) $(BENCH_VENV) $(DIST_VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
