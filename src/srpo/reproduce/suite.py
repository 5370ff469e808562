"""What is compared: experiments, each a base recipe and the fields that its conditions set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from srpo.recipe.load import load_recipe
from srpo.types import UserError

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Experiment:
    """One comparison at equal generated tokens.

    conditions  name -> overrides of the base recipe, as `--set` takes them; the first is the
                baseline
    metric      what is compared and tested: the fewer, the less evidence it takes
    headline    those that `--quick` runs too
    seeds       how many each condition is run with
    """

    name: str
    title: str
    base: Path
    metric: str
    conditions: dict[str, tuple[str, ...]]
    headline: tuple[str, ...]
    seeds: int

    @property
    def tokens(self) -> int:
        """What each run generates."""
        return load_recipe(self.base).max_tokens or 0


def _strategy(name: str, *more: str) -> tuple[str, ...]:
    rounds = ("sampler.strategy.max_rounds=10",) if name == "dynamic" else ()
    return (f"sampler.strategy={name}", *rounds, *more)


SMALL = ("data.train.0.limit=96", "data.train.1.limit=96")
EASY = (  # what a few epochs solve, in place of what nobody can
    "data.train.0.limit=192",
    "data.train.1.limit=384",
    "data.train.1.families=[brackets,digit_sum,equation,product]",
    "data.train.1.levels=[1]",
)
RULES = ("none", "dynamic", "history", "forecast")

EXPERIMENTS = (
    Experiment(
        "strategies",
        "Which prompts come next: GRPO, DAPO, SRPO and Forecast Resampling",
        HERE / "strategies.yaml",
        "pass@1/math",
        {name: _strategy(name) for name in RULES},
        headline=("none", "history", "forecast"),
        seeds=8,  # three tests by permutation of pairs can show nothing with fewer than seven
    ),
    Experiment(
        "easy-pool",
        "The same in a pool that gets solved",
        HERE / "strategies.yaml",
        "pass@1/math",
        {f"easy-{name}": _strategy(name, *EASY) for name in RULES},
        headline=(),
        seeds=3,
    ),
    Experiment(
        "curricula",
        "Mathematics first, both from the start, or one alone",
        HERE / "curricula.yaml",
        "pass@1",
        {
            "mixed": ("curriculum.kind=mixed",),
            # Its pool's accuracy still rises when that of held-out problems no longer does.
            "staged": ("curriculum.kind=staged", "curriculum.stage1_max_steps=110"),
            "math-only": ("curriculum.kind=math-only",),
            "code-only": ("curriculum.kind=code-only",),
        },
        headline=("mixed", "staged"),
        seeds=5,
    ),
    Experiment(
        "small-pool",
        "What resampling does to a pool of 192 problems",
        HERE / "strategies.yaml",
        "pass@1/math",
        {
            "small-none": _strategy("none", *SMALL),
            "small-history": _strategy("history", *SMALL),
            "small-history-re-check-20-percent": _strategy(
                "history", *SMALL, "sampler.strategy.recheck_share=0.2"
            ),
            "small-forecast": _strategy("forecast", *SMALL),
        },
        headline=(),
        seeds=3,
    ),
    Experiment(
        "ablations",
        "History Resampling's and the advantage's choices",
        HERE / "strategies.yaml",
        "pass@1/math",
        {
            "history": _strategy("history"),  # the same runs as above
            "gate-off": _strategy("history", "advantage.outcome_gate=false"),
            "solved-at-0.875": _strategy("history", "sampler.strategy.solved_at=0.875"),
            "re-check-5-percent": _strategy("history", "sampler.strategy.recheck_share=0.05"),
        },
        headline=(),
        seeds=3,
    ),
)


@dataclass(frozen=True)
class Trial:
    """One run of one condition; experiments with the same base share those of the same name."""

    experiment: str
    condition: str
    seed: int
    base: Path
    overrides: tuple[str, ...]
    tokens: int | None = None  # another budget than the base recipe's: other runs

    def folder(self, out: Path) -> Path:
        budget = f"-{self.tokens}" if self.tokens else ""
        return out / "runs" / f"{self.base.stem}{budget}" / self.condition / f"seed{self.seed}"


def choose(names: list[str], quick: bool) -> list[Experiment]:
    """The experiments with these names, all when there are none. Raises UserError."""
    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    for name in names:
        if name not in known:
            raise UserError(f"no experiment {name!r}: choose of {', '.join(known)}")
    chosen = [known[name] for name in names or known]
    return [e for e in chosen if e.headline] if quick else chosen


def trials(
    experiments: list[Experiment], seeds: int | None, quick: bool, tokens: int | None
) -> list[Trial]:
    """Experiment by experiment, seed by seed: an interrupted suite has whole comparisons.

    Quick ones have the headline conditions and half of the tokens, if no other number is given.
    """
    return [
        _trial(e, name, seed, tokens or (e.tokens // 2 if quick else None))
        for e in experiments
        for seed in range(seeds or e.seeds)
        for name in e.conditions
        if not quick or name in e.headline
    ]


def _trial(experiment: Experiment, name: str, seed: int, tokens: int | None) -> Trial:
    budget = (f"max_tokens={tokens}",) if tokens else ()
    overrides = (*experiment.conditions[name], *budget, f"seed={seed}")
    return Trial(experiment.name, name, seed, experiment.base, overrides, tokens)
