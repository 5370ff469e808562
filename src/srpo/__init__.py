"""srpo: train language models to reason in mathematics and code with SRPO (arXiv 2504.14286).

The nouns that people use are here by name. Each is loaded when it is first asked for, so that
`import srpo` itself is quick and loads neither torch nor transformers.

    import srpo

    end = srpo.train(srpo.load_recipe("nano", ["max_steps=2"]))
    srpo.grade({"prompt": "6*7?", "answer": "42"}, "\\\\boxed{42}").correct
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers and editors read; the names below have to be the same
    from srpo.algorithm.ledger import Ledger
    from srpo.errors import SRPOError, TrainingError, UserError
    from srpo.grading.grade import Graded, Grader, grade
    from srpo.observer import Observer
    from srpo.recipe.load import load_recipe, parse_recipe
    from srpo.recipe.schema import Recipe
    from srpo.report.reader import Run, open_run
    from srpo.run.session import RunEnd, resume, train
    from srpo.sandbox.base import Call, ExecutionResult, Limits, Program, TestCode
    from srpo.sandbox.mechanisms import open_sandbox
    from srpo.types import Group, Outcome, Problem, Reward, Rollout, Verdict
    from srpo.verifiers.domain import Domain

__version__ = "0.1.0"

__all__ = [
    "Call",
    "Domain",
    "ExecutionResult",
    "Graded",
    "Grader",
    "Group",
    "Ledger",
    "Limits",
    "Observer",
    "Outcome",
    "Problem",
    "Program",
    "Recipe",
    "Reward",
    "Rollout",
    "Run",
    "RunEnd",
    "SRPOError",
    "TestCode",
    "TrainingError",
    "UserError",
    "Verdict",
    "grade",
    "load_recipe",
    "open_run",
    "open_sandbox",
    "parse_recipe",
    "resume",
    "train",
]

_HOMES = {
    "algorithm.ledger": "Ledger",
    "errors": "SRPOError TrainingError UserError",
    "grading.grade": "Graded Grader grade",
    "observer": "Observer",
    "recipe.load": "load_recipe parse_recipe",
    "recipe.schema": "Recipe",
    "report.reader": "Run open_run",
    "run.session": "RunEnd resume train",
    "sandbox.base": "Call ExecutionResult Limits Program TestCode",
    "sandbox.mechanisms": "open_sandbox",
    "types": "Group Outcome Problem Reward Rollout Verdict",
    "verifiers.domain": "Domain",
}


if not TYPE_CHECKING:  # a type checker would take any name for a good one

    def __getattr__(name: str) -> Any:
        for module, names in _HOMES.items():
            if name in names.split():
                globals()[name] = value = getattr(import_module(f"srpo.{module}"), name)
                return value
        raise AttributeError(f"module 'srpo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
