"""Our rewards as a `reward_funcs` entry of TRL's GRPOTrainer.

    from srpo.grading.trl import SRPOReward

    trainer = GRPOTrainer(model, reward_funcs=SRPOReward(), train_dataset=dataset, ...)

The data set has TRL's `prompt` and the columns of our problem schema: `answer` for mathematics,
`tests` (as JSON text) for code, null where a row has none; `id` and `domain` may be left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from srpo.grading.grade import Graded, Grader
from srpo.recipe.schema import RewardConfig, VerifierConfig

Text = str | list[dict[str, Any]]  # a plain prompt or completion, or a conversation


class SRPOReward:
    """Total reward of each completion, weighted as `rewards` says.

    TRL has no way to leave a rollout out of its group: it takes None for 0. So a rollout
    whose verdict is an ERROR of ours gets the mean of the others that answer its prompt,
    which gives it no advantage. Errors are counted in the metric `verifier_errors`.
    """

    def __init__(
        self, rewards: RewardConfig | None = None, verifier: VerifierConfig | None = None
    ) -> None:
        self._rewards, self._verifier = rewards, verifier
        self._grader: Grader | None = None

    def __call__(
        self,
        prompts: Sequence[Text],
        completions: Sequence[Text],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float]:
        if self._grader is None:  # in the process that calls, at its first call
            self._grader = Grader(self._verifier, self._rewards)
        texts = [_text(prompt) for prompt in prompts]
        rows = [_row(columns, i, text) for i, text in enumerate(texts)]
        answers = [_text(completion) for completion in completions]
        graded = list(self._grader.grade_many(zip(rows, answers, strict=True)))
        if log_metric is not None:
            log_metric("verifier_errors", float(sum(g.reward is None for g in graded)))
        return _neutral_for_errors(texts, graded)

    def close(self) -> None:
        """End the workers; the next call starts new ones."""
        if self._grader is not None:
            self._grader.close()
            self._grader = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_grader": None}


def _row(columns: dict[str, Any], index: int, prompt: str) -> dict[str, Any]:
    """The problem that one completion answers, from TRL's columns."""
    given = {
        name: columns[name][index]
        for name in ("id", "domain", "answer", "tests")
        if name in columns and columns[name][index] is not None
    }
    return {"id": f"row {index}", "prompt": prompt} | given


def _neutral_for_errors(prompts: list[str], graded: list[Graded]) -> list[float]:
    totals: dict[str, list[float]] = defaultdict(list)
    for prompt, one in zip(prompts, graded, strict=True):
        if one.reward is not None:
            totals[prompt].append(one.reward.total)
    means = {prompt: sum(of) / len(of) for prompt, of in totals.items()}
    return [
        one.reward.total if one.reward is not None else means.get(prompt, 0.0)
        for prompt, one in zip(prompts, graded, strict=True)
    ]


def _text(text: Text) -> str:
    """The text itself, or the last message of a conversation."""
    return text if isinstance(text, str) else str(text[-1]["content"])
