# make repro and make test do everything on a fresh machine. VENV=path shares one environment among clones.

PYTHON ?= python3
VENV ?= .venv
VENV_DIR := $(abspath $(VENV))
BIN := $(VENV_DIR)/bin
export PATH := $(BIN):$(PATH)
# the trainer that the benchmarks compare with; beside the environment, of which it needs nothing that is not there
PYTHAE := $(VENV_DIR)/pythae
# what the environment was made from: this clone, its dependencies and their versions
STAMP := $(shell (pwd; cat pyproject.toml constraints.txt) | cksum | tr ' ' '-')
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable
# pip compiles on one core, which is half of its time; some packages have files that are no Python
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV_DIR)/lib || true

.PHONY: repro test pytest lint lint-said format bench plants realdata docs env env-dev

# as many runs at a time as there are cores, one thread each: how many threads add up a sum is part of its rounding
repro: env
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} vaelab repro
	@vaelab where

# the checks run beside the tests; what they say stands at the end
test: env-dev
	@said=$$(mktemp); trap "rm $$said" EXIT; trap "exit 130" INT; \
		$(MAKE) --no-print-directory -j2 pytest lint-said SAID=$$said; code=$$?; cat $$said; exit $$code

pytest: env-dev
	python -m pytest

lint-said:
	@$(MAKE) --no-print-directory lint > $(SAID) 2>&1

lint: env-dev
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-cache

format: env-dev
	ruff check --fix .
	ruff format .

bench: env-dev
	python benchmarks/training_loop.py
	python benchmarks/image_measures.py
	python benchmarks/stages.py
	test -d $(PYTHAE) || python -m pip install --quiet --disable-pip-version-check --no-deps --target $(PYTHAE) \
		pythae==0.1.2 || echo "note: pythae could not be installed"
	python benchmarks/pythae_loop.py --pythae $(PYTHAE)

# diagnosis on runs that are ill on purpose (docs/diagnosis.md); PLANTS=file adds others. JOBS at a time, in the folder plants/
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

plants: env-dev
	python benchmarks/plants.py benchmarks/plants/own.yaml --folder plants/own --jobs $(JOBS) --results
	python benchmarks/plant_treatments.py benchmarks/plants/own.yaml --folder plants/own --jobs $(JOBS) --results
	test -z "$(VAELAB_REALDATA)" || \
		python benchmarks/plants.py benchmarks/plants/real.yaml --folder plants/real --jobs $(JOBS) --results
	test -z "$(PLANTS)" || python benchmarks/plants.py "$(PLANTS)" --folder plants/given --jobs $(JOBS)

# the stories of docs/sharpness.md, documents.md, tags.md and anomaly.md on real data: VAELAB_REALDATA=folder make realdata
realdata: env-dev
	python benchmarks/realdata.py faces
	python benchmarks/realdata.py funsd
	python benchmarks/legible.py
	python benchmarks/realdata.py tmc2007
	python benchmarks/realdata.py delicious
	python benchmarks/fabrics.py
	python benchmarks/fabrics.py --splits 1 --seeds 1 --presets fabric_naive fabric_skip fabric_hybrid fabric_ssim \
		fabric_kl_anneal fabric_conditional fabric_denoise

docs: env-dev
	vaelab docs

env: $(VENV_DIR)/.vaelab-$(STAMP)

env-dev: $(VENV_DIR)/.vaelab-dev-$(STAMP)

$(VENV_DIR)/.vaelab-$(STAMP):
	@echo "making the environment in $(VENV_DIR): about 6 GB and some minutes, once"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV_DIR)
	$(INSTALL) .
	$(COMPILE)
	rm -f $(VENV_DIR)/.vaelab-*
	touch $@

$(VENV_DIR)/.vaelab-dev-$(STAMP): $(VENV_DIR)/.vaelab-$(STAMP)
	$(INSTALL) '.[test,lint]'
	$(COMPILE)
	touch $@
