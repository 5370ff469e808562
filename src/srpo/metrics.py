"""Every metric's name and meaning in one place, and where metrics are written.

`docs/metrics.md` is generated from `METRICS` (`python -m srpo.metrics > docs/metrics.md`).
A step that logs an unknown name fails, so the page cannot fall behind.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from srpo.files import write_whole

Row = dict[str, Any]

METRICS: dict[str, str] = {
    "step": "Optimizer step, from 1.",
    "stage": "Name of the curriculum's stage: stage1, stage2, or train when there is only one.",
    "epoch": "Epoch within the stage, from 0: one pass over the prompts that resampling left.",
    "policy/version": "The step that made the weights which sampled: the one before, on-policy.",
    "reward/mean": "Mean total reward over the step's valid rollouts. Grows if training works.",
    "reward/{domain}": "Mean total reward of the domain's valid rollouts.",
    "reward/accuracy": "Mean accuracy term, before its weight.",
    "reward/format": "Mean format term, before its weight: share of well-formed responses.",
    "reward/language": "Mean language-mixing term, before its weight; subtracted from the reward.",
    "term/{name}": "Mean of a term of the recipe's own (reward.terms), before its weight.",
    "reward/overlong": (
        "Mean of what rollouts lost for coming near the limit; with reward.overlong, in a step that"
        " has such rollouts."
    ),
    "accuracy/{domain}": "Share of the domain's valid rollouts judged correct.",
    "accuracy/pool": (
        "The step's accuracy over the whole pool: prompts that the strategy left out count with the"
        " pass rate that it expects of them: their last one (history), or a forecast. The plateau"
        " rule watches this, since it does not fall when solved prompts leave."
    ),
    "length/mean": "Mean response length in tokens.",
    "length/{domain}": (
        "Mean response length of the domain in tokens. Growth means longer reasoning."
    ),
    "length/max": "Longest response of the step in tokens.",
    "truncated": "Share of responses cut at rollout.max_new_tokens. High values distort rewards.",
    "groups/informative": "Share of groups with both correct and incorrect rollouts.",
    "groups/all_correct": "Share of groups with every valid rollout correct: no gradient.",
    "groups/all_wrong": "Share of groups with no valid rollout correct: no gradient if gated.",
    "groups/discarded": "Groups that dynamic sampling paid for and threw away.",
    "errors": "Rollouts that our machinery failed to judge: excluded, never scored 0.",
    "pool/size": "Prompts in this epoch, after resampling.",
    "pool/dropped": "Prompts of the stage that resampling left out of this epoch.",
    "loss": "The step's loss, as the recipe's loss.kind divides it.",
    "entropy": "Mean entropy (nats) of the policy at the trained tokens. Near 0: no exploration.",
    "clip/low": "Share of trained tokens whose ratio was clipped below.",
    "clip/high": "Share of trained tokens whose ratio was clipped above.",
    "kl": "Mean k3 estimate of the KL to the base model; only with loss.kl_coef above 0.",
    "grad_norm": "Global gradient norm before clipping.",
    "lr": "Learning rate of the step.",
    "mismatch/mean": "Mean |log-probability of the engine - of the learner| at sampled tokens.",
    "mismatch/max": "The largest such difference in the step.",
    "mismatch/kl": "k3 estimate of KL(engine || learner), in nats per token.",
    "mismatch/capped": "Share of trained tokens whose importance weight loss.tis_cap cut.",
    "mismatch/probe": (
        "Mean |log-probability of the engine - of the learner| at a few tokens sampled right after"
        " the weight change: the freshness check; only with the vllm engine."
    ),
    "tokens/generated": "Tokens generated so far, thrown-away rounds and errors included.",
    "tokens/trained": "Tokens of groups that gave gradient so far.",
    "tokens/step": "Tokens generated in this step.",
    "seconds/rollout": "Wall-clock: decoding.",
    "seconds/verify": "Wall-clock: waiting for verdicts after decoding ended.",
    "seconds/hidden": "Wall-clock: of decoding and verdicts, what went on while the step before"
    " learnt; only with rollout.ahead.",
    "seconds/learn": "Wall-clock: learner step.",
    "seconds/weights": "Wall-clock: weights from learner to engine.",
    "seconds/probe": "Wall-clock: the freshness check; only with the vllm engine.",
    "seconds/step": "Wall-clock: the whole step.",
    "seconds/total": "Wall-clock of training so far, interrupted time left out.",
    "tokens/s": "tokens/step divided by seconds/step.",
}


def meaning(name: str) -> str | None:
    """What a metric says; None for a name that is none. `accuracy/math` is `accuracy/{domain}`."""
    prefix, _, rest = name.partition("/")
    names = (name, f"{prefix}/{{domain}}", f"{prefix}/{{name}}") if rest else (name,)
    return next((METRICS[n] for n in names if n in METRICS), None)


def domain_of(name: str) -> str | None:
    """The domain that a metric is of: math of `accuracy/math`, none of `accuracy/pool`."""
    prefix, _, domain = name.partition("/")
    known = name not in METRICS and f"{prefix}/{{domain}}" in METRICS
    return domain or None if known else None


WALL_CLOCK = frozenset(n for n in METRICS if n.startswith("seconds/") or n == "tokens/s")
"""Names that may differ between two runs that are otherwise equal bit for bit."""


class Tracker(Protocol):
    """A place that metrics go to besides metrics.jsonl."""

    def log(self, row: Row) -> None:
        """Take a step's row, or what an evaluation after it found (`eval/{domain}/pass@1`)."""
        ...

    def close(self) -> None:
        """Send what is left. Nothing is logged after it."""
        ...


class MetricsWriter:
    """Appends one JSON object a step to metrics.jsonl, and feeds the trackers.

    `state_dict` is the number of rows; loading it cuts off rows of steps that a killed run
    logged after its last checkpoint, since the resumed run logs them again.
    """

    def __init__(self, path: Path, trackers: list[Tracker] | None = None):
        self.path, self.trackers, self.rows = path, trackers or [], 0

    def log(self, row: Row) -> None:
        """Append a row to the file, hand it to the trackers. Asserts that its names are known."""
        unknown = [name for name in row if not _known(name, row)]
        assert not unknown, f"metrics without a meaning in METRICS: {unknown}"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, allow_nan=False) + "\n")
        self.rows += 1
        for tracker in self.trackers:
            tracker.log(row)

    def evaluated(self, line: Row) -> None:
        """Hand an evaluation to the trackers; its file is evals.jsonl."""
        row = {"step": line["step"]}
        for domain, found in line.items():
            if isinstance(found, dict):
                row |= {f"eval/{domain}/{name}": value for name, value in found.items()}
        for tracker in self.trackers:
            tracker.log(row)

    def state_dict(self) -> dict[str, int]:
        """What a checkpoint keeps of it."""
        return {"rows": self.rows}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from a `state_dict`: later rows are cut off."""
        self.rows = state["rows"]
        kept = self.path.read_bytes().splitlines(keepends=True)[: self.rows]
        write_whole(self.path, b"".join(kept))

    def close(self) -> None:
        """Close the trackers."""
        for tracker in self.trackers:
            tracker.close()


def _known(name: str, row: Row) -> bool:
    """A domain that a step has prompts of has a length in it: `reward/men` is of no domain."""
    domain = domain_of(name)
    return meaning(name) is not None and (domain is None or f"length/{domain}" in row)


def read_metrics(path: Path) -> list[Row]:
    """The rows of a metrics.jsonl; a last line cut short by a kill is left out."""
    rows = []
    for line in path.read_bytes().splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def metrics_page() -> str:
    """The text of docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "One row a step in `metrics.jsonl`. This page is generated:"
        " `python -m srpo.metrics > docs/metrics.md`. `{domain}` is every domain that the step has"
        " prompts of: math, code, or one of your own.",
        "",
        "| name | meaning |",
        "| --- | --- |",
    ]
    lines += [
        f"| `{name}` | {meaning.replace('|', chr(92) + '|')} |" for name, meaning in METRICS.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(metrics_page(), end="")
