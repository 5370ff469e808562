"""Measure a nano base model on held-out problems: what its card says.

    python benchmarks/nano_card.py [--model nano] [--problems 128] [--samples 32]

Step by step means: a line of working before the answer (math) or before the code (code). The
harder half is levels 3 and 4, of four.
"""

from __future__ import annotations

from typing import Annotated

import torch
import typer

from srpo.data.prompts import Prompter
from srpo.data.sources import load_problems
from srpo.domains import SHIPPED, find_domains
from srpo.evaluation.evaluate import summarize
from srpo.models import load_model, load_tokenizer
from srpo.recipe.schema import Data, RolloutConfig, Source, VerifierConfig
from srpo.rollout.collector import Collector
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.types import Group, Outcome, Reward, Rollout
from srpo.verifiers.pool import VerifierPool

NO_REWARD = Reward(0.0, 0.0, 0.0, 0.0)


def step_by_step(rollout: Rollout, domain: str) -> bool:
    before = rollout.text.split("```" if domain == "code" else "\\boxed")[0].strip()
    return bool(before) and not before.startswith("def") and ("\n" in before or "=" in before)


def share(rollouts: list[Rollout]) -> float:
    """Accuracy of the given rollouts."""
    good = sum(r.verdict.outcome is Outcome.CORRECT for r in rollouts if r.verdict)
    return good / max(1, len(rollouts))


def report(domain: str, groups: list[Group]) -> None:
    rows = [(g, r, step_by_step(r, domain)) for g in groups for r in g.rollouts]
    long = [r for _, r, way in rows if way]
    short = [r for _, r, way in rows if not way]
    summary = summarize(groups)[str(domain)]
    print(f"\n{domain}: {len(groups)} held-out problems, {len(groups[0].rollouts)} samples each")
    for name, value in summary.items():
        print(f"  {name:14} {value:.3f}")
    hard_long = share([r for g, r, way in rows if way and g.problem.meta["level"] >= 3])
    hard_short = share([r for g, r, way in rows if not way and g.problem.meta["level"] >= 3])
    print(f"  step by step   {len(long) / len(rows):.3f} of the answers")
    print(f"  accuracy       {share(long):.3f} step by step, {share(short):.3f} short")
    print(
        f"  harder half    {hard_long:.3f} step by step, {hard_short:.3f} short,"
        f" ratio {hard_long / max(hard_short, 1e-9):.1f}"
    )
    mean_long = sum(len(r.token_ids) for r in long) / max(1, len(long))
    mean_short = sum(len(r.token_ids) for r in short) / max(1, len(short))
    print(
        f"  tokens         {mean_long:.1f} step by step, {mean_short:.1f} short,"
        f" ratio {mean_long / mean_short:.1f}"
    )
    for level in (1, 2, 3, 4):
        at = [r for g, r, _ in rows if g.problem.meta["level"] == level]
        print(f"  level {level}        {share(at):.3f}")


def main(
    model: Annotated[str, typer.Option(help="nano or a folder.")] = "nano",
    problems: Annotated[int, typer.Option(help="Held-out problems of each domain.")] = 128,
    samples: Annotated[int, typer.Option(help="Samples a problem.")] = 32,
    seed: Annotated[int, typer.Option(help="Of problems and samples.")] = 0,
) -> None:
    tokenizer = load_tokenizer(model)
    weights = load_model(model, "float32", torch.device("cpu"))
    engine = TransformersEngine(weights, tokenizer, max_rows=512)
    domains = find_domains(SHIPPED)
    with VerifierPool(VerifierConfig(), domains.values()) as verifiers:
        for domain in SHIPPED:
            source = Source(path=f"nano:{domain}", domain=domain, split="heldout", limit=problems)
            data = Data(train=[source], template="{prompt}\n")
            prompter = Prompter(tokenizer, data, domains)
            asked = load_problems(data.train, "problems", seed)
            collector = Collector(
                engine,
                prompter.ids,
                verifiers.submit,
                lambda *_: NO_REWARD,
                RolloutConfig(max_new_tokens=112),
                seed,
                max_error_share=0.0,
            )
            seeds = [seed * 1_000_003 + i for i in range(len(asked))]
            groups = collector.sample(asked, samples, seeds, lambda *_: None).groups
            report(domain, groups)


if __name__ == "__main__":
    typer.run(main)
