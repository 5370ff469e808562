"""Forecast Resampling, ours: keep the prompts whose next group will probably inform.

The paper's rule looks at one epoch: all-correct prompts leave for good, all-wrong ones stay
however hopeless they are. On a pool that lasts many epochs the first can be forgotten and the
second pile up. This rule asks the ledger for both: how did the prompt do when it was last
tried, and how much better has the policy become since?

    strength  a prompt's pass rate in logits, log((correct + 1/2) / (wrong + 1/2)), when last tried
    gain      the policy's improvement since then: the median change of strength, from one try to
              the next, of prompts that were mixed; logits, for each domain by itself
    forecast  p = sigmoid(strength + gain)

A group of G rollouts informs with probability 1 - p^G - (1-p)^G. Prompts where that is above
one half come; of the others a small share is tried again, so that no forecast grows too old,
and more when there are too few. Solved prompts stay away unless the policy forgets; hopeless
ones until it has grown enough.
"""

from __future__ import annotations

import numpy as np

from srpo.config import ForecastConfig


class Forecast:
    """What is known of each prompt; arrays over all problems, (P,).

    domain    of each prompt, as a small integer
    strength  when last tried, in logits; NaN where never tried
    ability   of the policy when it was last tried, in logits from an arbitrary zero
    now       (domains,) the policy's ability
    """

    def __init__(self, domain: np.ndarray):
        self.domain = domain
        self.strength = np.full(len(domain), np.nan)
        self.ability = np.zeros(len(domain))
        self.now = np.zeros(int(domain.max(initial=0)) + 1)

    def pass_rates(self) -> np.ndarray:
        """(P,) forecast pass rates; NaN where a prompt was never tried."""
        gain = self.now[self.domain] - self.ability
        return 1.0 / (1.0 + np.exp(-(self.strength + gain)))

    def observe(self, problems: np.ndarray, correct: np.ndarray, wrong: np.ndarray) -> None:
        """Learn from an epoch's groups, one for each of `problems` (those with a verdict)."""
        tried = correct + wrong > 0
        problems, correct, wrong = problems[tried], correct[tried], wrong[tried]
        strength = np.log((correct + 0.5) / (wrong + 0.5))
        expected = self.strength[problems] + (self.now[self.domain] - self.ability)[problems]
        telling = (correct > 0) & (wrong > 0) & ~np.isnan(expected)
        for domain in np.unique(self.domain[problems]):
            here = telling & (self.domain[problems] == domain)
            if here.any():
                self.now[domain] += np.median((strength - expected)[here])
        self.strength[problems] = strength
        self.ability[problems] = self.now[self.domain[problems]]

    def choose(
        self, pool: np.ndarray, config: ForecastConfig, group_size: int, rng: np.random.Generator
    ) -> np.ndarray:
        """(P,) bool: the prompts of `pool`, (P,) bool, that come in the next epoch."""
        p = np.nan_to_num(self.pass_rates(), nan=0.5)  # never tried: they come
        informs = np.where(pool, 1.0 - p**group_size - (1.0 - p) ** group_size, -1.0)
        coming = informs > 0.5
        resting = np.flatnonzero(pool & ~coming)
        n = round(config.recheck_share * resting.size)
        coming[rng.choice(resting, size=n, replace=False)] = True
        if lacking := max(0, min(config.min_prompts, int(pool.sum())) - int(coming.sum())):
            best = np.argsort(-np.where(coming, -1.0, informs), kind="stable")
            coming[best[:lacking]] = True
        return coming

    def state_dict(self) -> dict[str, list[float | None]]:
        """JSON values: None where a prompt was never tried."""
        strength = [None if np.isnan(s) else s for s in self.strength.tolist()]
        return {"strength": strength, "ability": self.ability.tolist(), "now": self.now.tolist()}

    def load_state_dict(self, state: dict[str, list[float | None]]) -> None:
        for name, values in state.items():
            setattr(self, name, np.array(values, dtype=float))
