"""Our training step against that of TRL's GRPOTrainer, side by side, on the scale model.

    python benchmarks/step_vs_trl.py [--repeats 5] [--steps 4] [--threads 1] [--model nano]
                                     [--dtype float32] [--new-tokens 112] [--coin]

Both sides get the same weights (nano, or another model's), the same prompts in the same order, 32
prompts of 16 responses a step, at most 112 new tokens, the same reward, token-level loss without
KL, one AdamW update per step at the same learning rate, the same precision (trained weights in
float32) and as many torch threads, on the GPU where there is one. Each repeat is two new processes,
one for each side, so that memory is its own; who goes first alternates. A process does one step
more than asked, its first, which is not counted.

A step's seconds are wall clock from the end of one step to the end of the next. `learn` is what
is neither sampling nor waiting for verdicts. CPU seconds leave out the verifiers' processes; on a
shared machine they say more than wall clock. Lengths are sampled, so the sides do not generate
exactly as many tokens: the table has seconds for each 1000 generated tokens too. Ours leaves out
rows without gradient (all rewards of their group equal), TRL computes them. With --coin a coin is
added to each reward: then also weights that know nothing have all rows to learn from.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

PROMPTS, GROUP, RATE, SEED = 32, 16, 2e-4, 0
TRL_MICRO_BATCH = 64  # rows; as fast as 512, 256, 128 and 32 here, in less memory than most
PHASES = ("rollout", "verify", "learn")

Step = dict[str, float]
Setting = argparse.Namespace  # model, dtype, new_tokens, coin, steps, folder


def coin(problem: Any, text: str, verdict: Any) -> float:
    """0 or 1, by the text."""
    return float(crc32(text.encode()) % 2)


def reward_config(given: Setting) -> dict[str, Any]:
    return {"terms": {"step_vs_trl:coin": 1.0}} if given.coin else {}


def recipe(given: Setting, steps: int) -> Any:
    from srpo.recipe.load import parse_recipe

    tree = {
        "model": given.model,
        "seed": SEED,
        "output_dir": str(given.folder / "run"),
        "max_steps": steps,
        "data": {
            "train": [{"path": "nano:math", "domain": "math", "limit": PROMPTS * steps}],
            "template": "{prompt}\n",
        },
        "rollout": {"group_size": GROUP, "max_new_tokens": given.new_tokens, "max_rows": 512},
        "sampler": {"strategy": "none", "prompts_per_step": PROMPTS},
        "curriculum": {"kind": "math-only"},
        "reward": reward_config(given),
        "advantage": {"outcome_gate": False},  # as TRL: every group with variance in reward
        "learner": {"lr": RATE, "dtype": given.dtype},
        "checkpoint": {"every": steps},
        "log": {"rollouts": False},
    }
    return parse_recipe(tree, "step_vs_trl")


def ours(given: Setting, steps: int) -> list[Step]:
    """`steps` steps of ours in this process."""
    from srpo.observer import Observer
    from srpo.run import session

    found: list[Step] = []

    class Clock(Observer):
        def step(self, row: dict[str, Any]) -> None:
            now = time.perf_counter()
            step = {"seconds": now - self.at, "tokens": row["tokens/step"]}
            step |= {name: row[f"seconds/{name}"] for name in ("rollout", "verify")}
            trained = row["tokens/trained"] - sum(s["trained"] for s in found)
            found.append(step | {"trained": trained, "cpu": time.process_time() - self.cpu})
            self.at, self.cpu = now, time.process_time()

        def stage(self, name: str, reason: str) -> None:
            self.at, self.cpu = time.perf_counter(), time.process_time()

    session.train(recipe(given, steps), Clock())
    return found


def trl(given: Setting, steps: int) -> list[Step]:
    """`steps` steps of TRL in this process."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, TrainerCallback
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    from srpo.grading.trl import SRPOReward
    from srpo.models import load_tokenizer, model_path
    from srpo.recipe.schema import RewardConfig

    found: list[Step] = []
    now: Step = {}

    class TimedReward(SRPOReward):
        def __call__(self, *args: Any, **columns: Any) -> list[float]:
            now["tokens"] = sum(map(len, columns["completion_ids"]))
            return timed("verify", super().__call__, *args, **columns)

    class TimedTrainer(GRPOTrainer):
        def _generate(self, prompts: list[Any]) -> Any:
            return timed("rollout", super()._generate, prompts)

    class Clock(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.at, self.cpu = time.perf_counter(), time.process_time()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            at, cpu = time.perf_counter(), time.process_time()
            step = {"seconds": at - self.at, "cpu": cpu - self.cpu, "trained": now["tokens"]}
            found.append(now | step)
            self.at, self.cpu = at, cpu

    def timed(name: str, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        start = time.perf_counter()
        result = call(*args, **named)
        now[name] = time.perf_counter() - start
        return result

    tokenizer = load_tokenizer(given.model)
    reward: Any = TimedReward(RewardConfig(**reward_config(given)))
    config = GRPOConfig(
        output_dir=str(given.folder / "run"),
        max_steps=steps,
        seed=SEED,
        per_device_train_batch_size=TRL_MICRO_BATCH,
        gradient_accumulation_steps=PROMPTS * GROUP // TRL_MICRO_BATCH,
        num_generations=GROUP,
        max_completion_length=given.new_tokens,
        shuffle_dataset=False,
        temperature=1.0,
        beta=0.0,
        loss_type="dapo",
        scale_rewards="group",
        learning_rate=RATE,
        lr_scheduler_type="constant",
        adam_beta2=0.95,
        max_grad_norm=1.0,
        bf16=given.dtype == "bfloat16",
        gradient_checkpointing=False,
        use_cpu=not torch.cuda.is_available(),
        report_to=[],
        logging_steps=10 * steps,
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = TimedTrainer(
        model=AutoModelForCausalLM.from_pretrained(
            model_path(given.model), dtype=torch.float32, trust_remote_code=False
        ),
        reward_funcs=reward,
        args=config,
        train_dataset=Dataset.from_list(rows(given, steps, tokenizer)),
        processing_class=tokenizer,
        callbacks=[Clock()],
    )
    trainer.train()
    return found


def rows(given: Setting, steps: int, tokenizer: Any) -> list[dict[str, str]]:
    """The prompts of our run, in the order of its first epoch."""
    from srpo.algorithm.curriculum import stages_of
    from srpo.algorithm.sampler import Sampler
    from srpo.data.prompts import Prompter
    from srpo.data.sources import load_problems
    from srpo.domains import SHIPPED, find_domains

    ours = recipe(given, steps)
    problems = load_problems(ours.data.train, "data.train", SEED)
    stage = stages_of(ours.curriculum, ["math", "code"])[0]
    sampler = Sampler(problems, ours.sampler, SEED)
    sampler.enter(stage.name, stage.domains)
    prompter = Prompter(tokenizer, ours.data, find_domains(SHIPPED))
    found = []
    while not sampler.epoch_over:
        for problem in sampler.next_prompts():
            text = prompter.text(problem)
            assert tokenizer(text).input_ids == prompter.ids(problem)
            found.append({"prompt": text, "answer": str(problem.answer)})
    return found


def measure(side: str, given: Setting) -> dict[str, Any]:
    """One process of one side: its counted steps, and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--side", side, "--steps", str(given.steps)]
        command += ["--model", given.model, "--dtype", given.dtype]
        command += ["--new-tokens", str(given.new_tokens)] + ["--coin"] * given.coin
        threads = str(given.threads)
        environment = dict(os.environ, OMP_NUM_THREADS=threads, TOKENIZERS_PARALLELISM="false")
        done = subprocess.run(
            [*command, "--folder", folder], env=environment, capture_output=True, text=True
        )
    if done.returncode:
        sys.exit(f"{side} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def one_side(given: Setting) -> None:
    import torch

    found = {"ours": ours, "trl": trl}[given.side](given, given.steps + 1)[1:]
    for step in found:
        step["learn"] = step["seconds"] - step["rollout"] - step["verify"]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if torch.cuda.is_available():  # the GPU's is the one that is scarce
        memory = torch.cuda.max_memory_allocated() / 2**20
    print(json.dumps({"steps": found, "memory": memory}))


def figures(run: dict[str, Any]) -> Step:
    """Medians over a run's steps; `per 1000 tokens` from its sums."""
    steps = run["steps"]
    names = ("seconds", *PHASES, "cpu", "tokens", "trained")
    found = {name: statistics.median(s[name] for s in steps) for name in names}
    seconds, tokens = sum(s["seconds"] for s in steps), sum(s["tokens"] for s in steps)
    found |= {"per 1000 tokens": 1000 * seconds / tokens, "memory": run["memory"]}
    return found | {"tokens/s": tokens / seconds}


def spread(values: Sequence[float], digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def table(runs: list[dict[str, Step]]) -> None:
    """Medians over the repeats with their range; the ratio is of each repeat's two runs."""
    print(f"\n{'':24}{'TRL':>24}{'ours':>24}{'TRL / ours':>24}")
    for name, label, digits in (
        ("seconds", "seconds per step", 2),
        ("rollout", "  rollout", 2),
        ("verify", "  verify (waiting)", 3),
        ("learn", "  learn", 2),
        ("cpu", "CPU seconds per step", 2),
        ("tokens", "generated tokens a step", 0),
        ("trained", "  learnt from", 0),
        ("per 1000 tokens", "seconds per 1000 tokens", 3),
        ("tokens/s", "tokens/s", 0),
        ("memory", "peak memory, MB", 0),
    ):
        theirs, ours = ([run[side][name] for run in runs] for side in ("trl", "ours"))
        ratio = spread([a / b for a, b in zip(theirs, ours, strict=True)], 2)
        print(f"{label:24}{spread(theirs, digits):>24}{spread(ours, digits):>24}{ratio:>24}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--new-tokens", type=int, default=112)
    parser.add_argument("--coin", action="store_true")
    parser.add_argument("--side", choices=("ours", "trl"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        return one_side(options)
    runs: list[dict[str, Step]] = []
    for repeat in range(options.repeats):
        sides = ("trl", "ours") if repeat % 2 == 0 else ("ours", "trl")
        found = {s: figures(measure(s, options)) for s in sides}
        runs.append(found)
        print(f"repeat {repeat + 1}: TRL {found['trl']['seconds']:.2f} s a step,"
              f" ours {found['ours']['seconds']:.2f} s", flush=True)  # fmt: skip
    table(runs)


if __name__ == "__main__":
    main()
