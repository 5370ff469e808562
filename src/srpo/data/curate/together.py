"""What only all rows together show: shared tests, duplicates, evaluation problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from srpo.data.curate.code_tests import shared_tests, tests_digests
from srpo.data.curate.judged import Judged
from srpo.data.curate.raw import Raw
from srpo.data.curate.work import Work
from srpo.recipe.curation import Curation

OnPhase = Callable[[str, int, int], None]
Rows = Callable[[], Iterator[Judged]]


def together(config: Curation, against: list[Raw], work: Work, on_phase: OnPhase) -> Rows:
    """All rows anew, with what the others show of them."""
    return without_shared_tests(work.rows, config.allow)


def without_shared_tests(rows: Rows, allow: list[str]) -> Rows:
    """Drop the code problems whose tests are those of other statements."""
    code = (j.candidate for j in rows() if j.stays and j.candidate.domain == "code")
    shared = shared_tests((c.prompt, digest) for c in code for digest in tests_digests(c))

    def applied(judged: Judged) -> Judged:
        if not shared or not judged.stays or judged.candidate.domain != "code":
            return judged
        found = shared & tests_digests(judged.candidate)
        evidence = "its tests stand at problems with other statements, too"
        return judged.dropped("filter", "shared_tests", evidence, allow) if found else judged

    return lambda: map(applied, rows())
