"""What the rules of curation are: pure functions of one candidate."""

from __future__ import annotations

from collections.abc import Callable

from srpo.data.candidate import Candidate

# Why the candidate has to go, with the words of it that show so; None: it may stay. The function's
# name is the reason code, the first line of its docstring says in the report what it drops.
Rule = Callable[[Candidate], str | None]

# The candidate, mended; what was done is appended to its `changes`.
Cleaner = Callable[[Candidate], Candidate]
