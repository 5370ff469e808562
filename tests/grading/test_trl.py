"""Our reward inside TRL's own trainer, and what it does with failures of ours."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from builders import nano_tokenizer, tiny_model
from srpo.grading.trl import SRPOReward
from srpo.recipe.schema import RewardConfig, VerifierConfig
from walls import needs_walls

TESTS = json.dumps({"type": "asserts", "asserts": ["assert f(2) == 4"]})
BROKEN = json.dumps({"type": "asserts", "setup": "1 / 0", "asserts": ["assert f(2) == 4"]})


@pytest.fixture
def reward():
    made = SRPOReward(RewardConfig(format=0.0), VerifierConfig(workers=1))
    yield made
    made.close()


@needs_walls
def test_columns_become_problems(reward: SRPOReward):
    texts = ["\\boxed{4}", "\\boxed{5}", "```python\ndef f(x): return x * x\n```", "nothing"]
    got = reward(
        prompts=["2+2?", "2+2?", "Square.", "Square."],
        completions=texts,
        answer=["4", "4", None, None],
        tests=[None, None, TESTS, TESTS],
        trainer_state=None,
    )
    assert got == [1.0, 0.0, 1.0, 0.0]


def test_conversations(reward: SRPOReward):
    prompt = [{"role": "system", "content": "Think."}, {"role": "user", "content": "2+2?"}]
    completion = [{"role": "assistant", "content": "\\boxed{4}"}]
    assert reward(prompts=[prompt], completions=[completion], answer=["4"]) == [1.0]


@needs_walls
def test_an_error_gets_no_advantage(reward: SRPOReward):
    """The mean of its group, and it is counted; never a 0 that is learnt from."""
    logged: dict[str, float] = {}
    right = "```python\ndef f(x): return 2 * x\n```"
    got = reward(
        prompts=["p"] * 4 + ["q"],
        completions=[right, right, "no code", right, "?"],
        tests=[TESTS, TESTS, TESTS, BROKEN, BROKEN],
        log_metric=logged.__setitem__,
    )
    assert got == [1.0, 1.0, 0.0, pytest.approx(2 / 3), 0.0]
    assert logged == {"verifier_errors": 1.0}, "a response without code is wrong, tests or not"


def test_it_can_be_pickled(reward: SRPOReward):
    assert reward(prompts=["?"], completions=["\\boxed{4}"], answer=["4"]) == [1.0]
    copy: Any = pickle.loads(pickle.dumps(reward))
    assert copy(prompts=["?"], completions=["\\boxed{4}"], answer=["4"]) == [1.0]
    copy.close()


def test_trl_trains_with_it(tmp_path: Path, reward: SRPOReward):
    trl = pytest.importorskip("trl")
    from datasets import Dataset

    rows = [{"prompt": f"{i}+1?", "answer": str(i + 1)} for i in range(4)]
    config = trl.GRPOConfig(
        output_dir=str(tmp_path),
        max_steps=1,
        num_generations=2,
        per_device_train_batch_size=4,
        max_completion_length=8,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
    )
    trainer = trl.GRPOTrainer(
        model=tiny_model(),
        reward_funcs=reward,
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=nano_tokenizer(),
    )
    trainer.train()
    (logged,) = (entry for entry in trainer.state.log_history if "reward" in entry)
    assert logged["rewards/SRPOReward/mean"] == 0.0  # random weights box no answer
    assert logged["verifier_errors"] == 0.0
