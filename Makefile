# What can be done here; `make` alone lists it. Needs Python 3.11 or newer; everything else is installed into .venv.

PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
PORT ?= 8501
VENV ?= .venv

PY = $(VENV)/bin/python
PIP = $(PY) -m pip install --disable-pip-version-check
CODE = app.py pages mlp_core scripts tests

# TORCH=cpu installs PyTorch without CUDA, TORCH=cuda with it; matters on Linux only, and only at the first installation.
TORCH ?= auto

# Install Debian packages where this user may; elsewhere the app downloads its data itself, and Playwright its browser.
apt = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s $(1) >/dev/null 2>&1; then \
	{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(1); } >&2 \
	|| echo "apt-get could not install $(1); going on without." >&2; fi

with_browser = CHROMIUM="$${CHROMIUM:-$$(cat $(VENV)/.chromium 2>/dev/null || echo /usr/bin/chromium)}"

# Where this is set, every process of the tests compiles all of the code anew, and there are dozens: workers, servers, scripts.
unexport PYTHONDONTWRITEBYTECODE

# On two cores a third has work while the others wait for a server, a browser or a process of theirs. Each takes up to 2 GB.
WORKERS = -n 3 --dist loadfile

# One part of the tests: leaves the names of those that fail in a file, and lets the next part run.
# pytest ends with 1 where tests failed, and with 5 where none was asked for.
FAILED = $(VENV)/.failed
pytest = $(with_browser) FAILED_TESTS=$(FAILED) $(PY) -m pytest $(1) $(PYTEST_FLAGS) || \
	case $$? in 5) ;; 1) status=1 ;; *) status=1; echo "pytest $(1) did not come to its end" >> $(FAILED) ;; esac

.PHONY: help run test check bench load soak states verdicts pictures translations clean
.DELETE_ON_ERROR:

help: ## list what can be done
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.app $(VENV)/.data ## serve the app at http://localhost:8501 (make run PORT=8600 for another port)
	$(PY) -m streamlit run app.py --server.port=$(PORT) --server.showEmailPrompt=false

test: $(VENV)/.tools $(VENV)/.data $(VENV)/.chromium $(VENV)/.redis ## run all tests (PYTEST_FLAGS="-k spec" for some)
	@rm -f $(FAILED); status=0; \
	$(call pytest,--ignore=tests/browser $(WORKERS)); \
	$(call pytest,tests/browser $(WORKERS)); \
	if [ -s $(FAILED) ]; then echo; echo "Failed:"; cat $(FAILED); fi; exit $$status

check: $(VENV)/.tools ## lint, formatting and types
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m mypy $(CODE)

bench: $(VENV)/.tools $(VENV)/.data $(VENV)/.chromium ## measure speed and memory (BENCH_FLAGS=--write to write them down)
	@$(with_browser) $(PY) -m tests.bench $(BENCH_FLAGS)

load: $(VENV)/.tools $(VENV)/.data ## measure a class of thirty on one server, training and in a lesson (LOAD_FLAGS="--students 10" for fewer)
	@$(PY) -m tests.load $(LOAD_FLAGS)

soak: $(VENV)/.tools $(VENV)/.data ## ten minutes of random actions in several sessions (SOAK_FLAGS="--minutes 2" for fewer)
	@$(PY) -m tests.load.soak $(SOAK_FLAGS)

states: $(VENV)/.tools $(VENV)/.data ## read the words of thousands of page states (STATES_FLAGS="--states 300" for fewer)
	@$(PY) -m tests.states $(STATES_FLAGS)

verdicts: $(VENV)/.tools ## train every design that the app would mend, and what it suggests; write docs/verdicts.md
	@$(PY) -m tests.verdicts

pictures: $(VENV)/.tools $(VENV)/.data $(VENV)/.chromium ## photograph the running app and draw its layers, for README and docs
	@$(with_browser) $(PY) scripts/take_pictures.py
	@$(PY) scripts/draw_architecture.py

translations: $(VENV)/.tools ## find every sentence, bring locale/ up to date, compile it, and name what has no translation
	@$(PY) scripts/translations.py

clean: ## remove what was installed and generated here
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis static/plotly.min.js
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@for python in $(PYTHON); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			"$$python" -m venv $(VENV) && exit 0; rm -rf $(VENV); exit 1; \
		fi; \
	done; \
	echo "Python 3.11 or newer is needed, and none of these is: $(PYTHON). Name one: make run PYTHON=/path/to/python3" >&2; exit 1

# Each of these files in the virtual environment says that a step is done.
$(VENV)/.app: requirements.txt | $(PY)
	@options=$$($(PY) scripts/choose_torch.py $(TORCH)) && set -x && $(PIP) $$options -r requirements.txt
	@touch $@

$(VENV)/.tools: requirements-dev.txt requirements-redis.txt requirements-cluster.txt $(VENV)/.app
	$(PIP) -r requirements-dev.txt
	@touch $@

# Without the full set the app works with its sample, and asks for it again at the next start.
$(VENV)/.data: packages.txt $(VENV)/.app
	@$(call apt,$$(cat packages.txt))
	@if $(PY) scripts/get_data.py; then touch $@; fi

$(VENV)/.chromium: | $(VENV)/.tools
	@command -v chromium chromium-browser google-chrome >/dev/null || $(call apt,chromium fonts-liberation)
	@fc-list :lang=zh-cn 2>/dev/null | grep -q . || $(call apt,fonts-wqy-microhei)
	@$(PY) scripts/find_chromium.py > $@ || rm -f $@

# Without it the tests of a class in Redis are skipped.
$(VENV)/.redis: | $(PY)
	@command -v redis-server >/dev/null || $(call apt,redis-server)
	@if command -v redis-server >/dev/null; then touch $@; fi
