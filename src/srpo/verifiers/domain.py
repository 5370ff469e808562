"""What a domain is: everything that the loop has to know of one kind of problem."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from srpo.recipe.schema import RewardConfig, VerifierConfig
from srpo.types import Problem, UserError, Verdict

Verifier = Callable[[Problem, str], Verdict]
Color = Literal["blue", "red", "green", "pink", "orange", "ink"]
Marker = Literal["circle", "square", "diamond", "triangle"]

# What stands in a domain's place in metrics (accuracy/math, accuracy/pool) is none.
RESERVED = {"pool", "mean", "max", "accuracy", "format", "language", "overlong"}


@dataclass(frozen=True)
class Domain:
    """A kind of problem: how its gold is read, an answer judged, and both shown.

    Everything else of the package loops over the domains that a run has. Raises UserError for a
    name that metrics could not carry.
    """

    name: str
    """Lower-case letters, digits and `_`, for example `math`; metrics carry it."""
    gold: Literal["answer", "tests"]
    """Which field of a problem holds what its answers are checked against, and which column of
    the data (`answer_field`, `tests_field`)."""
    parse: Callable[[Any, str], Any]
    """`(value, where)`: the gold from a row's value. Raises UserError that begins with `where`,
    shows the value and says what to give."""
    verifier: Callable[[VerifierConfig], Verifier]
    """Opens what judges a response to a problem. It is called from several threads at once; an
    exception is a failure of ours (Outcome.ERROR). Where it has a `close`, that is called."""
    format: Callable[[str, RewardConfig], bool]
    """Whether a response has the format that the recipe's reward section asks for."""
    template: str = "{prompt}"
    """The text around a question, where the recipe's `data.template` says nothing."""
    color: Color | None = None
    marker: Marker | None = None
    """How it is drawn, on pages and in pictures; None: chosen by the name."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name) or self.name in RESERVED:
            raise UserError(
                f"domain {self.name!r}: a name is of lower-case letters, digits and _, and none of"
                f" {', '.join(sorted(RESERVED))}"
            )
        if "{prompt}" not in self.template:
            raise UserError(f"domain {self.name!r}: template must contain {{prompt}}")
