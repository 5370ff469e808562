"""History Resampling (SRPO): rebuild the next epoch's prompts from this one's.

Prompts whose rollouts were all correct are dropped, since they have no variance and give no
gradient; mixed ones stay; all-wrong ones stay too, because the better policy may crack them
later. Prompts of the epoch that were not visited stay.
"""

from __future__ import annotations

from srpo.algorithm.ledger import Reason
from srpo.algorithm.strategies.base import NO_VERDICT, Decision, Epoch, Strategy, share_of
from srpo.recipe.schema import HistoryConfig

ERRORED = Reason("keep", NO_VERDICT)
ALL_CORRECT = Reason("drop", "all correct")
SOLVED = Reason("drop", "pass rate reached sampler.strategy.solved_at")
ALL_WRONG = Reason("keep", "all wrong: a better policy may crack it")
MIXED = Reason("keep", "mixed")


class HistoryStrategy(Strategy):
    config: HistoryConfig

    def decide(self, epoch: Epoch) -> Decision:
        correct, wrong = epoch.view("correct"), epoch.view("wrong")
        judged = correct + wrong
        solved = (judged > 0) & (correct >= self.config.solved_at * judged)
        reasons = [
            (ERRORED, judged == 0),
            (ALL_CORRECT, wrong == 0),
            (SOLVED, solved),
            (ALL_WRONG, correct == 0),
            (MIXED, wrong > 0),
        ]
        resting = epoch.stage & ~epoch.active
        resting[epoch.view("problem")[solved]] = True
        resting[share_of(resting, self.config.recheck_share, epoch.rng)] = False
        return Decision(reasons, resting, epoch.ledger.pass_rates())
