"""Forecast Resampling, ours: keep the prompts whose next group will probably inform.

The paper's rule looks at one epoch: all-correct prompts leave for good, all-wrong ones stay
however hopeless they are. On a pool that lasts many epochs the first can be forgotten and the
second pile up. This rule asks the whole ledger what each prompt's next group will be like, with
the Rasch model of item response theory, followed through time:

    pass rate = sigmoid(ability + easiness)

    ability   of the policy, one for each domain: that at which as many correct answers would have
              been expected in an epoch as there were
    easiness  of a prompt: a belief on a grid of logits. Flat at first; its group's correct and
              wrong answers sharpen it by Bayes' rule; and since a policy does not learn evenly,
              it widens with every epoch that passes

A group of G rollouts informs with probability 1 - p^G - (1-p)^G, p the pass rate. Prompts where
that, averaged over the belief, is above one half come, and those never tried; of the others a
small share is tried again, and more when there are too few. Solved prompts stay away unless the
policy forgets; hopeless ones until it has grown enough, or until they have rested so long that
nobody knows.
"""

from __future__ import annotations

import numpy as np

from srpo.algorithm.ledger import Ledger, Reason
from srpo.algorithm.strategies.base import Decision, Epoch, Strategy, share_of
from srpo.recipe.schema import ForecastConfig

PROMISING = Reason("keep", "forecast: its next group will probably inform")
RESTING = Reason("drop", "forecast: its next group will probably be uniform, so it rests")

EASINESS = np.linspace(-8.0, 8.0, 33)  # logits
STEPS = np.diff(np.eye(33), axis=0)
DRIFT = 1.0  # how far an easiness moves while the policy visits all prompts once: std, logits


class ForecastStrategy(Strategy):
    config: ForecastConfig

    def decide(self, epoch: Epoch) -> Decision:
        forecast = Forecast.from_ledger(epoch.ledger)
        coming = forecast.choose(epoch.stage, self.config, epoch.group_size, epoch.rng)
        rests = ~coming[epoch.view("problem")]
        return Decision([(RESTING, rests), (PROMISING, ~rests)], ~coming, forecast.pass_rates())


class Forecast:
    """What is known after some epochs of P prompts.

    domain    (P,) of each prompt, as a small integer
    ability   (domains,) of the policy, in logits
    belief    (P, 33) probabilities of each prompt's easiness
    tried     (P,) whether it has had a verdict yet
    """

    def __init__(self, domain: np.ndarray):
        self.domain = domain
        self.ability = np.zeros(int(domain.max(initial=0)) + 1)
        self.belief = np.full((len(domain), len(EASINESS)), 1 / len(EASINESS))
        self.tried = np.zeros(len(domain), dtype=bool)

    @classmethod
    def from_ledger(cls, ledger: Ledger) -> Forecast:
        """Everything follows from the ledger, so that there is nothing else to save."""
        forecast = cls(np.unique(ledger.domains, return_inverse=True)[1])
        for rows in ledger.epochs():
            problem, correct, wrong = (
                ledger.view(name, rows) for name in ("problem", "correct", "wrong")
            )
            forecast.observe(problem, correct, wrong)
        return forecast

    def pass_rates(self) -> np.ndarray:
        """(P,) expected pass rates."""
        return self._expect(_sigmoid(self._logits()))

    def informs(self, group_size: int) -> np.ndarray:
        """(P,) probabilities that a group has both outcomes."""
        p = _sigmoid(self._logits())
        return self._expect(1.0 - p**group_size - (1.0 - p) ** group_size)

    def _logits(self) -> np.ndarray:
        return self.ability[:, None] + EASINESS

    def _expect(self, values: np.ndarray) -> np.ndarray:
        """(P,) means over the beliefs of (domains, 33) values."""
        return np.einsum("pk,pk->p", self.belief, values[self.domain])

    def observe(self, problems: np.ndarray, correct: np.ndarray, wrong: np.ndarray) -> None:
        """Learn from an epoch's groups, one for each of `problems` (those with a verdict)."""
        tried = correct + wrong > 0
        self.tried[problems[tried]] = True
        for domain in np.unique(self.domain[problems[tried]]):
            here = tried & (self.domain[problems] == domain)
            mine = self.domain == domain
            self.belief[mine] = widen(self.belief[mine], DRIFT * np.sqrt(here.sum() / mine.sum()))
            at, right, judged = problems[here], correct[here], (correct + wrong)[here]
            self.ability[domain] = ability(self.belief[at], right.sum(), judged)
            logits = self.ability[domain] + EASINESS
            likelihood = right[:, None] * logits - judged[:, None] * np.logaddexp(0.0, logits)
            belief = self.belief[at] * np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
            self.belief[at] = belief / belief.sum(axis=1, keepdims=True)

    def choose(
        self, pool: np.ndarray, config: ForecastConfig, group_size: int, rng: np.random.Generator
    ) -> np.ndarray:
        """(P,) bool: the prompts of `pool`, (P,) bool, that come in the next epoch."""
        informs = np.where(pool, self.informs(group_size), -1.0)
        coming = (informs > 0.5) | (pool & ~self.tried)
        coming[share_of(pool & ~coming, config.recheck_share, rng)] = True
        if lacking := max(0, min(config.min_prompts, int(pool.sum())) - int(coming.sum())):
            best = np.argsort(-np.where(coming, -1.0, informs), kind="stable")
            coming[best[:lacking]] = True
        return coming


def widen(belief: np.ndarray, by: float) -> np.ndarray:
    """(P, 33) beliefs after a random walk of `by` logits (std) that turns back at the ends."""
    steps = 0.5 * (by / (EASINESS[1] - EASINESS[0])) ** 2
    rates, modes = np.linalg.eigh(-STEPS.T @ STEPS)  # diffusion between neighbours of the grid
    return belief @ (modes * np.exp(steps * rates)) @ modes.T


def ability(belief: np.ndarray, correct: int, judged: np.ndarray) -> float:
    """The ability, -16 to 16, at which `correct` right answers of (P,) `judged` are expected."""
    weight = judged @ belief
    low, high = 2 * EASINESS[0], 2 * EASINESS[-1]
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if weight @ _sigmoid(middle + EASINESS) < correct else (low, middle)
        )
    return (low + high) / 2


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))
