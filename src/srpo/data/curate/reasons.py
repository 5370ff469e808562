"""What each reason code means, for reports: of a rule, its docstring says so."""

from __future__ import annotations

import difflib

from srpo.data.curate.rules import stages
from srpo.recipe.curation import Curation
from srpo.types import UserError

_OTHERS = {
    "unreadable": "Rows that cannot be read as a problem.",
    "too_long": "Questions or solutions of more than 100,000 characters.",
    "undecidable_gold": "Gold answers that the verifier does not find equal to themselves.",
    "solution_disagrees": "Rows whose worked solution ends with another answer than the gold.",
    "duplicate_exact": "The same text as an earlier row, with the same answer.",
    "duplicate_normalised": "The same text but for spelling, with the same answer.",
    "duplicate_near": "Nearly the same text as an earlier row, with the same answer.",
    "conflicting_answers": "The same text as another row, with another answer: both go.",
    "shared_tests": "The same tests as problems with other statements.",
    "contaminated": "Problems of an evaluation set.",
    "reference_fails": "Problems whose reference program does not pass the tests.",
    "not_deterministic": "Problems whose reference program passes at one time only.",
    "trivial_passes": "Problems that an empty program, an echo or a constant solves.",
    "not_rated": "Problems that the model could not be asked.",
    "too_easy": "Problems above the band that the recipe keeps.",
    "too_medium": "Problems of the middle band, which the recipe does not keep.",
    "too_hard": "Problems below the band that the recipe keeps.",
}


def meanings(config: Curation) -> dict[str, str]:
    """By reason code."""
    found = dict(_OTHERS)
    for domain in ("math", "code"):
        for _, rules in stages(config, domain):
            found |= {r.__name__: _first_line(r.__doc__) for r in rules}
    return found


def check_allowed(config: Curation) -> None:
    """Raises UserError for a reason to allow that there is not."""
    known = sorted(set(meanings(config)) - {"unreadable"})
    for reason in config.allow:
        if reason not in known:
            close = difflib.get_close_matches(reason, known, n=1)
            meant = f"; did you mean {close[0]}?" if close else ""
            raise UserError(
                f"allow: no reason code {reason!r}{meant}; known are {', '.join(known)}"
            )


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]
