"""Code: a program in a fence, run against tests in the sandbox (docs/grading.md)."""

from __future__ import annotations

import json
import re
from typing import Any

from srpo.recipe.schema import VerifierConfig
from srpo.types import UserError, short
from srpo.verifiers.code.tests import validate_tests
from srpo.verifiers.domain import Domain, Verifier
from srpo.verifiers.format import FORMATS
from srpo.verifiers.json_values import json_error

SOURCE = (
    'source goes in as {"type": "asserts", "asserts": ["assert f(1) == 2"]}, or with a check of its'
    ' own as {"type": "check", "entry_point": "f", "code": "def check(candidate): ..."}'
)


def parse_tests(value: Any, where: str) -> dict[str, Any]:
    """Tests as an object, or as JSON text, which is how tables carry them; or asserts alone in a
    list, as MBPP has them."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            fix = SOURCE if re.search(r"\bassert\b|\bdef ", value) else "give an object as JSON"
            why = json_error(error)
            raise UserError(f"{where} is {short(value)}: no JSON ({why}); {fix}") from error
    if _is_asserts(value):
        return parse_tests({"type": "asserts", "asserts": value}, where)
    tests: Any = value
    validate_tests(tests, where)
    return tests


def _is_asserts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(t, str) for t in value)


def _verifier(config: VerifierConfig) -> Verifier:
    from srpo.sandbox.base import Limits
    from srpo.sandbox.mechanisms import open_sandbox
    from srpo.verifiers.code.verifier import CodeVerifier

    sandbox = open_sandbox(config.sandbox, config.side_by_side, config.sandbox_url, config.python)
    limits = Limits(time_s=config.time_limit_s, memory_mb=config.memory_mb)
    return CodeVerifier(sandbox, limits, conventional_imports=config.conventional_imports)


CODE = Domain(
    name="code",
    gold="tests",
    parse=parse_tests,
    verifier=_verifier,
    format=lambda text, reward: FORMATS[reward.code_format](text),
    color="red",
    marker="square",
)
