"""A domain is a record in a file: here, or in one of the user's own named in the recipe.

`math` is short for `srpo.domains.math:MATH`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from srpo.recipe.own import load_own
from srpo.recipe.schema import OWN, domain_name
from srpo.types import UserError, short
from srpo.verifiers.domain import Domain

SHIPPED = ("math", "code")  # in the order in which they are shown


def find_domain(name: str, field: str = "domain") -> Domain:
    """The record of a shipped domain, or of `package.module:NAME`.

    Args:
        field: where the name stands, for the error.

    Raises:
        UserError: there is none.
    """
    if name in SHIPPED:
        return getattr(import_module(f"{__name__}.{name}"), name.upper())
    if not isinstance(name, str) or not OWN.fullmatch(name):
        raise UserError(
            f"{field} is {short(name)}: choose one of {', '.join(SHIPPED)}, or give your own as"
            " package.module:NAME"
        )
    found = load_own(name, field)
    if not isinstance(found, Domain):
        raise UserError(f"{field}: {name!r} is {short(found)}, no srpo.verifiers.domain.Domain")
    if found.name != domain_name(name):
        raise UserError(
            f"{field}: {name!r} is a domain called {found.name!r}; call the variable"
            f" {found.name.upper()}"
        )
    return found


def find_domains(names: Iterable[str], field: str = "domain") -> dict[str, Domain]:
    """The records by their names, each once. Raises UserError."""
    return {domain_name(name): find_domain(name, field) for name in dict.fromkeys(names)}
