"""HumanEval: https://github.com/openai/human-eval. Also Hugging Face's HumanEval+, whose `test`
has all that EvalPlus adds."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import has, pass_rate, text


def _fits(row: Row) -> bool:
    return has(row, "prompt", "entry_point", "canonical_solution", "test")


def stub(prompt: str) -> str:
    """The function that a prompt begins, with a body: some have no docstring that would be one."""
    return f"{prompt.rstrip()}\n    pass\n"


def _read(row: Row) -> dict[str, Any]:
    """The prompt, a function without its body, is what tests and program stand on."""
    prompt, solution, test = (text(row, c) for c in ("prompt", "canonical_solution", "test"))
    tests = {
        "type": "check",
        "entry_point": text(row, "entry_point"),
        "setup": stub(prompt),
        "code": test,
    }
    return {
        "domain": "code",
        "prompt": prompt,
        "tests": tests if test else None,
        "reference": prompt + solution if solution else None,
        "pass_rate": pass_rate(row),
        "meta": meta(row),
    }


HUMANEVAL = Layout("humaneval", _fits, _read)
