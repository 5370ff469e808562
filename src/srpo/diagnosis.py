"""What a run's numbers say that a person should hear: pure functions, for the terminal and the
report alike."""

from __future__ import annotations

from collections.abc import Sequence

from srpo.metrics import Row

NEARLY_ALL = 0.9


def nothing_learnt(rows: Sequence[Row]) -> str:
    """Why these steps (rows of metrics.jsonl) taught nothing, and what to change; "" where a group
    of one had both right and wrong answers, or tokens were trained on for another reason (a KL
    term, no outcome gate)."""
    if not rows or any(row.get("groups/informative", 0.0) > 0 for row in rows):
        return ""
    if rows[-1].get("tokens/trained", 0) > rows[0].get("tokens/trained", 0):
        return ""
    return f"No group of {len(rows):,} steps had both right and wrong answers: {_why(rows)}"


def _why(rows: Sequence[Row]) -> str:
    wrong, right = _mean(rows, "groups/all_wrong"), _mean(rows, "groups/all_correct")
    cut = _mean(rows, "truncated")
    if wrong is None or right is None:
        return "none could be judged. See `srpo rollouts RUN --outcome error` and `srpo doctor`"
    if wrong >= NEARLY_ALL:
        limit = f" {cut:.0%} of them were cut at rollout.max_new_tokens." if cut else ""
        return (
            f"every answer is judged wrong.{limit} Either the problems are out of the model's"
            " reach (take easier ones), or its answers are not found: `srpo rollouts RUN` shows"
            " what it writes, and data.template has to ask for the format that"
            " reward.math_format and reward.code_format name"
        )
    if right >= NEARLY_ALL:
        return "every answer is right. Take harder problems; these have nothing left to teach"
    return (
        "each prompt is answered always right or always wrong. Raise rollout.group_size or"
        " rollout.temperature, or take problems that the model solves now and then"
    )


def _mean(rows: Sequence[Row], name: str) -> float | None:
    values = [row[name] for row in rows if name in row]
    return sum(values) / len(values) if values else None
