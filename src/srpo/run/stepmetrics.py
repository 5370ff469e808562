"""What one step's groups say, as the metrics of its row."""

from __future__ import annotations

from collections.abc import Sequence

from srpo.algorithm.sampler import Sampler
from srpo.metrics import Row
from srpo.rollout.collector import Collected
from srpo.run.clock import Clock
from srpo.run.state import RunState
from srpo.types import FinishReason, Group, Outcome


def pool_metrics(groups: Sequence[Group], sampler: Sampler) -> Row:
    """How large the epoch is, what it leaves out, and the accuracy over both."""
    size, dropped = sampler.size, sampler.dropped
    accuracy = pool_accuracy(groups, size, dropped, sampler.dropped_correct)
    return {"accuracy/pool": accuracy, "pool/size": size, "pool/dropped": dropped}


def pool_accuracy(
    groups: Sequence[Group], size: int, dropped: int, dropped_correct: float
) -> float | None:
    """Accuracy over the whole pool: the step's prompts speak for the epoch's `size`, and of
    those that resampling left out so many would be correct. None when nothing was judged."""
    accuracy = _accuracy(groups)
    if accuracy is None or size + dropped == 0:
        return None
    return (accuracy * size + dropped_correct) / (size + dropped)


def cost_metrics(collected: Collected, state: RunState, clock: Clock) -> Row:
    """What the run has cost so far, and where the step's time went."""
    seconds = clock.seconds | {
        "rollout": collected.rollout_seconds,
        "verify": collected.verify_seconds,
        "total": state.seconds,
    }
    if collected.hidden_seconds is not None:
        seconds["hidden"] = collected.hidden_seconds
    return {
        "tokens/generated": state.generated,
        "tokens/trained": state.trained,
        **{f"seconds/{name}": value for name, value in seconds.items()},
        "tokens/s": sum(g.tokens for g in collected.groups) / clock.seconds["step"],
    }


def group_metrics(groups: Sequence[Group], selected: int) -> Row:
    """Rewards, accuracies, lengths and group kinds. Values are None where undefined.

    `selected` of the groups are trained on; the others were thrown away.
    """
    rollouts = [r for g in groups for r in g.rollouts]
    rewards = [r.reward for r in rollouts if r.reward]
    lengths = [len(r.token_ids) for r in rollouts]
    own_terms = list(rewards[0].own) if rewards else []
    judged = [g for g in groups if g.valid()]
    by_domain = {
        name: [g for g in groups if g.problem.domain == name]
        for name in sorted({g.problem.domain for g in groups})
    }
    return {
        "reward/mean": _mean([r.total for r in rewards]),
        "reward/accuracy": _mean([r.accuracy for r in rewards]),
        "reward/format": _mean([r.format for r in rewards]),
        "reward/language": _mean([r.language for r in rewards]),
        **{f"term/{name}": _mean([r.own[name] for r in rewards]) for name in own_terms},
        "reward/overlong": _mean([r.overlong for r in rewards]) or None,
        **{f"reward/{name}": _reward(own) for name, own in by_domain.items()},
        **{f"accuracy/{name}": _accuracy(own) for name, own in by_domain.items()},
        "length/mean": _length(groups),
        **{f"length/{name}": _length(own) for name, own in by_domain.items()},
        "length/max": max(lengths, default=0),
        "truncated": _mean([r.finish_reason is FinishReason.LENGTH for r in rollouts]),
        "groups/informative": _mean([g.is_mixed() for g in judged]),
        "groups/all_correct": _mean([g.pass_rate() == 1.0 for g in judged]),
        "groups/all_wrong": _mean([g.pass_rate() == 0.0 for g in judged]),
        "groups/discarded": len(groups) - selected,
        "errors": sum(g.count(Outcome.ERROR) for g in groups),
        "tokens/step": sum(lengths),
    }


def _accuracy(groups: Sequence[Group]) -> float | None:
    return _mean(
        [r.verdict.outcome is Outcome.CORRECT for g in groups for r in g.valid() if r.verdict]
    )


def _reward(groups: Sequence[Group]) -> float | None:
    return _mean([r.reward.total for g in groups for r in g.rollouts if r.reward])


def _length(groups: Sequence[Group]) -> float | None:
    return _mean([len(r.token_ids) for g in groups for r in g.rollouts])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
