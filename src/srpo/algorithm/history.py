"""History Resampling (SRPO): rebuild the next epoch's prompts from this one's.

Prompts whose rollouts were all correct are dropped, since they have no variance and give no
gradient; mixed ones stay; all-wrong ones stay too, because the better policy may crack them
later. Only accuracy counts: a reward's other terms never reach this file.
"""

from __future__ import annotations

import numpy as np

from srpo.algorithm import ledger as codes
from srpo.algorithm.ledger import Ledger
from srpo.recipe.schema import HistoryConfig


def decide(
    correct: np.ndarray, wrong: np.ndarray, solved_at: float
) -> tuple[np.ndarray, np.ndarray]:
    """Keep or drop each prompt, with the reason.

    Args:
        correct, wrong: (P,) rollouts of each prompt in the epoch; errored ones are in neither.
        solved_at: drop at this pass rate; 1.0 is the paper's rule.

    Returns:
        (P,) decision codes and (P,) reason codes of `srpo.algorithm.ledger`.
    """
    judged = correct + wrong
    all_correct = (judged > 0) & (wrong == 0)
    solved = (judged > 0) & (correct >= solved_at * judged)
    reasons = np.select(
        [judged == 0, all_correct, solved, correct == 0],
        [codes.NO_VERDICT, codes.ALL_CORRECT, codes.SOLVED, codes.ALL_WRONG],
        codes.MIXED,
    )
    return np.where(solved, codes.DROP, codes.KEEP), reasons


def resample(
    ledger: Ledger,
    rows: slice,
    active: np.ndarray,
    droppable: np.ndarray,
    config: HistoryConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """The prompts of the next epoch; the decisions are written into the ledger.

    Args:
        ledger: its rows of the epoch that ends, `rows`, are decided.
        active: (problems,) bool, the prompts of the epoch that ends.
        droppable: (problems,) bool, the stage's prompts: rechecks come from those not active.
        config: threshold and share of re-checks.
        rng: draws the re-checks.

    Returns:
        (problems,) bool. Prompts of the epoch that were not visited stay.
    """
    problems = ledger.view("problem", rows)
    decisions, reasons = decide(
        ledger.view("correct", rows), ledger.view("wrong", rows), config.solved_at
    )
    ledger.decide(rows, decisions, reasons)
    following = active.copy()
    following[problems[decisions == codes.DROP]] = False
    dropped = np.flatnonzero(droppable & ~following)
    n = round(config.recheck_share * dropped.size)
    following[rng.choice(dropped, size=n, replace=False)] = True
    return following
