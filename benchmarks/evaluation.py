"""`srpo eval` at work: kill -9 at random moments, speed of grading, memory at a million responses.

    python benchmarks/evaluation.py kills --times 20
    python benchmarks/evaluation.py speed --rows 4000
    python benchmarks/evaluation.py memory 100000 1000000
    python benchmarks/evaluation.py gemma DATA [--model runs/gemma3-270m]

`gemma` evaluates Gemma 3 270M (see gemma_gsm8k.py for how to get it) on 20 rows of GSM8K and 5 of
MBPP through vLLM on the CPU. DATA is a folder with gsm8k_test.jsonl and mbpp.jsonl.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
import yaml
from gemma_gsm8k import convert, template

from srpo.domains import find_domains
from srpo.evaluation.graders.beside import Beside
from srpo.evaluation.sets import ProblemSet
from srpo.evaluation.work import Evaluating, judged
from srpo.recipe.evaluation import Evaluation
from srpo.recipe.schema import VerifierConfig
from srpo.report.evaluation.write import write_reports
from srpo.types import Problem
from srpo.verifiers.pool import VerifierPool

app = typer.Typer(add_completion=False)

SMALL = [
    {"path": "nano:math", "domain": "math", "split": "heldout", "limit": 24},
    {"path": "nano:code", "domain": "code", "split": "heldout", "limit": 16},
]


@app.command()
def kills(times: int = 20, seed: int = 0) -> None:
    """Kill an evaluation of nano at random moments of its whole length, and start it again."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        recipe = root / "eval.yaml"
        settings = {"sets": SMALL, "samples": 4, "rollout": {"max_rows": 8, "max_new_tokens": 64}}
        recipe.write_text(yaml.safe_dump(settings))
        began = time.monotonic()
        _eval(recipe, root / "whole").wait()
        whole = time.monotonic() - began
        killed = _killed(recipe, root / "killed", times, whole, rng)
        equal = _digests(root / "whole") == _digests(root / "killed")
        print(f"killed {killed} times, {whole:.0f} s undisturbed; same files: {equal}")
        sys.exit(not equal)


def _eval(recipe: Path, out: Path) -> subprocess.Popen[bytes]:
    command = ["-m", "srpo.cli", "eval", "nano", "--recipe", str(recipe), "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _killed(recipe: Path, out: Path, times: int, whole: float, rng: random.Random) -> int:
    """Until it is done; where it is done before all the kills, what it left is started anew."""
    killed = 0
    while True:
        process = _eval(recipe, out)
        after = rng.uniform(0.3, 1.0) * whole
        try:
            process.wait(after if killed < times else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
            continue
        assert process.returncode == 0, f"srpo eval ended with {process.returncode}"
        if killed >= times:
            return killed
        parts = sorted(out.glob("responses/*.parquet"))
        for part in rng.sample(parts, len(parts) // 2):  # so that there is something to do
            part.unlink()
        (out / "result.json").unlink()


def _digests(out: Path) -> dict[str, str]:
    return {
        str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(out.rglob("*"))
        if p.is_file() and p.suffix in (".parquet", ".json")
    }


@dataclass(frozen=True)
class Made:
    """In the place of a model: worked answers of 150 words, half of them right, in many forms."""

    n: int
    pool: VerifierPool | None  # None: the verdicts are made up, too

    def rows(self, name: str, number: int, problems: list[Problem]) -> list[dict[str, Any]]:
        rng = random.Random(number)
        rows = [
            {
                "benchmark": name,
                "id": p.id,
                "sample": k,
                "domain": "math",
                "response": _answer(rng, int(str(p.answer))),
                "tokens": 200,
                "finish_reason": "stop",
            }
            for p in problems
            for k in range(self.n)
        ]
        if self.pool is not None:
            return judged(rows, problems, self.pool)
        return [row | {"outcome": rng.choice(["correct", "incorrect"])} for row in rows]


def _answer(rng: random.Random, gold: int) -> str:
    value = gold if rng.random() < 0.5 else gold + rng.randint(1, 1000)
    form = rng.choice(["{0}", "{0}.0", "\\frac{{{1}}}{{2}}", "{2}+{3}", "x={0}", "\\text{{{0}}}"])
    written = form.format(value, 2 * value, value // 2, value - value // 2)
    words = " ".join(f"Step {i} gives {rng.randint(0, 999)} and so on." for i in range(20))
    return f"{words} The answer is \\boxed{{{written}}}."


@app.command()
def speed(rows: int = 4000) -> None:
    """Responses of mathematics graded and written, a second, on every core."""
    seconds, _ = _graded(rows)
    print(f"{rows} responses in {seconds:.1f} s: {rows / seconds * 60:,.0f} a minute")


@app.command()
def memory(sizes: list[int]) -> None:
    """Peak of a process that writes so many responses, with verdicts that are made up, and works
    out the result and its report: each size in a process of its own."""
    for size in sizes:
        code = f"import evaluation; print(*evaluation._graded({size}, False))"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
        seconds, peak = map(float, done.stdout.split())
        print(f"{size:>9,} responses: {seconds:6.0f} s, {peak:6.0f} MB")


def _graded(rows: int, judge: bool = True) -> tuple[float, float]:
    """Seconds and peak memory in MB; n is 32."""
    n = 32
    problems = [
        Problem(f"made/{i}", "math", f"What is {i} + {i}?", str(2 * i)) for i in range(rows // n)
    ]
    made = ProblemSet("made", "made", "math", problems, {"sha256": "made"})
    config = Evaluation(sets=["nano:math"], samples=n, verifier=VerifierConfig())
    domains = find_domains(["math"]).values()
    opened = (tempfile.TemporaryDirectory(), VerifierPool(config.verifier, domains))
    with opened[0] as folder, opened[1] as pool:
        out = Path(folder, "eval")
        out.mkdir()
        source: Any = Made(n, pool if judge else None)
        began = time.monotonic()
        work: Any = (out, config, [made], source, pool, Beside(config), 64, lambda *_: None)
        Evaluating(*work).run()
        write_reports(out)
        seconds = time.monotonic() - began
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@app.command()
def gemma(data: Path, model: Path = Path("runs/gemma3-270m"), out: Path = Path("runs")) -> None:
    """20 rows of GSM8K and 5 of MBPP, n = 4, through vLLM on the CPU; then the same again by
    `--regrade`, without the model."""
    if not model.exists():
        convert(model)
    settings = {
        "model": str(model),
        "sets": _few(data, out),
        "samples": 4,
        "templates": {"math": template(), "code": CODE},
        "data": {"style": "plain"},
        "rollout": {
            "engine": "vllm",
            "temperature": 0.6,
            "top_p": 0.95,
            "max_new_tokens": 200,
            "max_rows": 16,
            "stop": ["<eos>", "\n\nQuestion:", "\nTask:"],
        },
        "beside": ["math-verify"],
    }
    recipe = out / "gemma-eval.yaml"
    recipe.write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = [sys.executable, "-m", "srpo.cli", "eval"]
    subprocess.run(
        [*command, "--recipe", str(recipe), "--out", str(out / "gemma-eval")], check=True
    )
    subprocess.run([*command, "--regrade", str(out / "gemma-eval")], check=True)


CODE = """<bos>Task: Write a function to add two numbers.
Your code should pass this test:

assert add(2, 3) == 5
Program:
```python
def add(a, b):
    return a + b
```

Task: {prompt}
Program:
"""


def _few(data: Path, out: Path) -> list[str]:
    """The first rows of the two sets, in files of their own."""
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for name, count in (("gsm8k_test", 20), ("mbpp", 15)):
        lines = (data / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[:count]
        file = out / f"{name}-{len(lines)}.jsonl"
        own = lines if name != "mbpp" else lines[10:]  # ids from 11 on are its test split
        file.write_text("\n".join(own) + "\n", encoding="utf-8")
        files.append(str(file))
    return files


if __name__ == "__main__":
    app()
