"""A real pretrained model rates problems: `srpo curate` with Gemma 3 270M on GSM8K.

    python benchmarks/gemma_rates.py GSM8K_TRAIN.jsonl [--rows 50] [--samples 8] [--engine vllm]

The model, its packages and its prompt are those of gemma_gsm8k.py, and so are the problems: the
easiest, of which a model of this size solves some. The curation is killed once on its way, and
goes on; what it has been told of a problem before is not asked again.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from gemma_gsm8k import convert, easiest, recipe
from timed_train import machine

from srpo.data.curate.pipeline import Curated, curate
from srpo.recipe.curation import Curation
from srpo.run.rating import rate


class Killed(BaseException):
    """As by a signal."""


class Watch:
    """Counts what the model is asked, and kills the first attempt when half of it is done."""

    def __init__(self) -> None:
        self.killed, self.starts = False, []

    def __call__(self, name: str, done: int, total: int) -> None:
        if name != "rate":
            return
        print(f"rating: {done} of {total}", flush=True)
        if done == 0:
            self.starts.append(total)
        if not self.killed and done >= total / 2:
            self.killed = True
            raise Killed


def curated(config: Curation, out: Path, watch: Watch) -> Curated:
    while True:
        try:
            return curate(config, out, rate, watch)
        except Killed:
            print("killed; the same again", flush=True)


def main(
    data: Annotated[Path, typer.Argument(help="GSM8K's train.jsonl.", exists=True)],
    model: Annotated[Path, typer.Option(help="Its folder; made if need be.")] = Path(
        "runs/gemma3-270m"
    ),
    rows: Annotated[int, typer.Option(min=1)] = 50,
    samples: Annotated[int, typer.Option(min=2, help="Responses to each.")] = 8,
    engine: Annotated[str, typer.Option(help="transformers or vllm.")] = "transformers",
) -> None:
    print(machine())
    if not (model / "config.json").is_file():
        convert(model)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw, path = folder / "easy.jsonl", folder / "gemma.yaml"
        raw.write_text("".join(json.dumps(r) + "\n" for r in easiest(data, rows)))
        tree: dict[str, Any] = recipe(model, raw, 1, 1, samples)
        tree["rollout"]["engine"] = engine
        path.write_text(yaml.safe_dump(tree))
        config = Curation.model_validate(
            {
                "sources": [{"path": str(raw)}],
                "difficulty": {"recipe": str(path), "samples": samples},
            }
        )
        watch, start = Watch(), time.perf_counter()
        done = list(curated(config, folder / "out", watch).all_rows())
        seconds = time.perf_counter() - start
    kept = [judged for judged in done if judged.stays]
    print(f"{len(kept)} of {len(done)} rows kept, asked at the starts: {watch.starts}")
    print("bands:", dict(Counter(j.difficulty for j in kept)))
    print("correct of", samples, dict(sorted(Counter(j.correct for j in kept).items())))
    print(f"{sum(j.samples for j in kept)} responses in {seconds:.0f} s")
    if any(j.samples != samples for j in kept):
        sys.exit("a problem has another number of samples")


if __name__ == "__main__":
    typer.run(main)
