# One line each. `make run` and `make test` need git, make and Python 3.11 with venv, nothing else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
HOST ?= 127.0.0.1
PORT ?= 8000
CONFIG ?= detector/training/configs/efficientnet.toml
CODE = accounts analyses detector notebooks truthlens_client truthlens_site manage.py conftest.py $(wildcard benchmarks)
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_NO_INPUT = 1

LOCK = --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet

.PHONY: run test test-topology test-faults fuzz detect bench bench-web bench-million train evaluate lint lock audit messages

run: .venv/.installed ## Run the site; Ctrl-C ends it
	@exec .venv/bin/python manage.py up --host $(HOST) --port $(PORT)

# Bytecode is kept even where the environment says no: many processes import the same.
test: .venv/.installed-dev ## Run the whole suite in three processes, as many tests wait; ARGS="-k name" for a part of it
	@PYTHONDONTWRITEBYTECODE= TRUTHLENS_ENV_FILE=/dev/null timeout --foreground --kill-after=30 1500 \
		.venv/bin/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-topology: .venv/.installed-dev ## Several machines' worth of processes on one, some of them killed; a minute or two
	@timeout --foreground --kill-after=30 400 .venv/bin/python -m benchmarks.topology $(ARGS)

test-faults: .venv/.installed-dev ## Kill, starve and restart the site under load; ARGS=--short takes under a minute
	@.venv/bin/python -m benchmarks.faults $(ARGS)

fuzz: .venv/.installed-dev ## Open thousands of hostile files
	@.venv/bin/python -m benchmarks.fuzz $(ARGS)

detect: .venv/.installed ## Judge one clip: make detect VIDEO=clip.mp4
	@test -n "$$VIDEO" || { echo 'Name a clip: make detect VIDEO=clip.mp4'; exit 2; }
	@.venv/bin/python -m detector analyze "$$VIDEO"

bench: .venv/.installed-dev ## Measure seconds and memory on a one-minute clip
	@.venv/bin/python -m benchmarks.clip_speed $(ARGS)

bench-web: .venv/.installed-dev ## Let two hundred users at the site, on SQLite and on PostgreSQL
	@.venv/bin/python -m benchmarks.web_load $(ARGS)

bench-million: .venv/.installed-dev ## Measure every list and dashboard with a million analyses
	@.venv/bin/python -m benchmarks.million $(ARGS)

train: .venv/.installed-dev ## Train the frame model: make train ARGS='--data FOLDER'
	@.venv/bin/python -m detector.training.train $(CONFIG) $(ARGS)

evaluate: .venv/.installed-dev ## Score labelled clips: make evaluate ARGS='--data FOLDER --split val'
	@.venv/bin/python -m detector.evaluation $(ARGS)

lint: .venv/.installed-dev ## Check form and types
	@.venv/bin/ruff check $(CODE)
	@.venv/bin/ruff format --check $(CODE)
	@.venv/bin/mypy $(CODE)

messages: .venv/.installed ## Gather the sentences for translators (locale/), and compile what they translated
	@command -v xgettext msgfmt >/dev/null || { echo 'GNU gettext is missing: apt-get install gettext'; exit 2; }
	@.venv/bin/python manage.py makemessages --all --add-location file --ignore '*/tests/*' --ignore '.*' --ignore var
	@.venv/bin/python manage.py compilemessages --ignore '.*'

lock: .venv/.installed-dev ## Write requirements.lock: everything that requirements.txt brings along, with hashes
	@.venv/bin/uv pip compile requirements.txt $(LOCK) --output-file requirements.lock

audit: .venv/.installed-dev ## Ask for known vulnerabilities of what is locked
	@.venv/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

# The stamps are written last: after an interruption the same command goes on where it was.
.venv/.installed: requirements.txt
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo 'Installing requirements.txt; the first time takes some minutes.'
	@.venv/bin/python -m pip install --quiet --requirement requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt requirements.txt
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo 'Installing requirements-dev.txt; the first time takes some minutes.'
	@.venv/bin/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@
