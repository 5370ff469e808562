"""The math verifier on public data: agreement, gold answers, wrong answers, speed, memory.

    SRPO_DATA=folder python benchmarks/verify_math.py [PART]... (all of them by default)

`rows`    the test tables of public math verifiers (math_equivalence_cases.jsonl)
`outputs` a model's answers to MATH (traces_qwen2.5_math_cot.jsonl), with math-verify's verdict and
          the published one beside ours; every disagreement
`gold`    every gold answer against itself and against its reference solution
`wrong`   gold answers against other problems' answers
`echo`    formulas of the question as its answer: each that counts as correct
`speed`   against math-verify by itself, side by side, on right and wrong responses
`memory`  256 prompts of 32 rollouts, graded by two threads
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srpo.types import Outcome, Problem, Verdict
from srpo.verifiers.math.extract import boxed_spans, extract_answer
from srpo.verifiers.math.latex import canonical, normalise
from srpo.verifiers.math.numbers import parse_number
from srpo.verifiers.math.verifier import MathVerifier

PARTS = ("rows", "outputs", "gold", "wrong", "echo", "speed", "memory")
SETS = ("gsm8k_train", "gsm8k_test", "math_train", "math_test", "math500", "dapo_math_17k",
        "aime24", "amc23", "minerva_math")  # fmt: skip

# Rows of which the options, or a fault, ask for what the policy does not have.
LEFT_OUT = {
    "NativeLetters": "asks to find a lone letter of multiple choice in running text",
    "language": "asks for answer phrases of other languages (graded below as running text)",
    "precision": "an absolute tolerance, or decimal places; ours are significant digits",
    "compare_sets": "asks that tuples compare as sets",
    "strict": "asks that variables match by position",
    "gold": "the gold text's box is never closed: no answer",
}
DISAGREEMENTS = {  # gold and answer as extracted -> why the policy stays as it is
    ("9", "9"): "the source wants no formula over several lines; the answer is 9 all the same",
}


FORMULA = re.compile(
    r"(?<!\\)\$\$?([^$]{1,400})(?<!\\)\$|\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]", re.S
)


@dataclass(frozen=True)
class Item:
    name: str
    gold: str
    solution: str | None
    prompt: str = ""


def items(folder: Path, name: str) -> Iterator[Item]:
    for number, line in enumerate((folder / f"{name}.jsonl").read_text().splitlines()):
        row = json.loads(line)
        where = f"{name}:{number}"
        if name.startswith("gsm8k"):
            gold = row["answer"].rpartition("####")[2].strip()
            yield Item(where, gold, row["answer"], row["question"])
        elif name.startswith("dapo"):
            yield Item(
                where, row["reward_model"]["ground_truth"], None, row["prompt"][0]["content"]
            )
        elif name == "minerva_math":
            boxed = extract_answer(row["solution"])
            if boxed:
                yield Item(where, boxed, row["solution"], row["problem"])
        else:
            solution = row.get("solution") if name.startswith("math") else None
            yield Item(where, str(row["answer"]), solution, row.get("problem") or row["question"])


def left_out(row: dict[str, Any]) -> str | None:
    options = row.get("options", {})
    if "NativeLetters" in options.get("match_types", ()):
        return "NativeLetters"
    if "language" in options:
        return "language"
    if "compare_sets" in options and row["pred"] != "1,-2":
        return "compare_sets"
    if options.get("strict") is False:
        return "strict"
    if boxed_spans(row["gold"])[1]:
        return "gold"
    return "precision" if digits_of(row) is None else None


def digits_of(row: dict[str, Any]) -> int | None:
    """The row's precision as significant digits; None where that cannot be said."""
    precision = row.get("options", {}).get("precision", 6)
    if precision == "1e-4":
        return 4
    if row["gold"] == "4/3" or not isinstance(precision, int):
        return None
    return precision


def rows(folder: Path) -> None:
    print("\n== test tables of public verifiers")
    table = [json.loads(line) for line in (folder / "math_equivalence_cases.jsonl").open()]
    verifiers: dict[int, MathVerifier] = {}
    agreed = counted = native = foreign = 0
    for number, row in enumerate(table):
        if row["expected"] is None:
            continue
        reason = left_out(row)
        digits = digits_of(row) or 6
        verifier = verifiers.setdefault(digits, MathVerifier(1, digits=digits, prose=True))
        verdict = grade_row(verifier, row)
        right = (verdict.outcome is Outcome.CORRECT) == row["expected"]
        where = f"row {number} gold {row['gold'][-60:]!r} pred {row['pred'][-60:]!r}"
        if reason:
            print(f"left out: {where}: {LEFT_OUT[reason]}")
            foreign += reason == "language"
            native += reason == "language" and right
            continue
        counted += 1
        agreed += right
        if not right:
            why = DISAGREEMENTS.get((row["gold"].strip("$ "), verdict.answer or ""), "")
            print(f"DISAGREES: {where} expected {row['expected']}: got {verdict.answer!r}. {why}")
    for verifier in verifiers.values():
        verifier.close()
    silent = sum(row["expected"] is None for row in table)
    print(f"{len(table)} rows: {silent} assert nothing, {len(table) - silent - counted} left out")
    print(f"agree {agreed} of {counted} = {agreed / counted:.2%}; "
          f"of the {foreign} left out for their language {native}")  # fmt: skip


def grade_row(verifier: MathVerifier, row: dict[str, Any]) -> Verdict:
    gold, pred = row["gold"], row["pred"]
    if row["kind"] == "text_to_text":
        gold = extract_answer(gold, prose=True) or gold
    elif "\\boxed" not in pred:
        pred = f"\\boxed{{{pred}}}"
    return verifier(Problem("row", "math", "", answer=gold), pred)


def outputs(folder: Path) -> None:
    """100 problems of MATH, eight answers of Qwen2.5-Math each."""
    published: list[bool] = []
    jobs: list[tuple[Item, str]] = []
    for line in (folder / "traces_qwen2.5_math_cot.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        item = Item(str(row["idx"]), str(row["gt"]), None, row["question"])
        jobs += [(item, text) for text in row["code"]]
        published += row["score"]
    verifier = MathVerifier()
    verdicts = [grade(verifier, *job).outcome is Outcome.CORRECT for job in jobs]
    with ProcessPoolExecutor(1) as process:
        theirs = list(process.map(alone, ((item.gold, text) for item, text in jobs)))
    table = Counter(zip(verdicts, theirs, published, strict=True))
    print(f"{'ours':>8}{'theirs':>8}{'published':>11}")
    for (ours, other, said), count in sorted(table.items()):
        print(f"{ours!s:>8}{other!s:>8}{said!s:>11}{count:>6}")
    for (item, text), *votes in zip(jobs, verdicts, theirs, published, strict=True):
        if len(set(votes)) > 1:
            print(f"  {item.name}: gold {item.gold!r}, {text[-80:]!r}: {votes}")


def gold(folder: Path) -> None:
    print("\n== gold answers against themselves (boxed) and their reference solutions")
    verifier = MathVerifier(2)
    for name in SETS:
        whole = list(items(folder, name))
        jobs = [(item, f"\\boxed{{{item.gold}}}", "itself") for item in whole]
        jobs += [(i, i.solution, "solution") for i in whole if i.solution is not None]
        start = time.perf_counter()
        with ThreadPoolExecutor(2) as threads:
            verdicts = list(threads.map(lambda job: grade(verifier, job[0], job[1]), jobs))
        seconds = time.perf_counter() - start
        failed = [
            (item, what, v)
            for (item, _, what), v in zip(jobs, verdicts, strict=True)
            if v.outcome is not Outcome.CORRECT
        ]
        print(f"{name}: {len(jobs)} pairs, {len(failed)} not correct, {seconds:.1f} s")
        for item, what, verdict in failed[:40]:
            print(f"  {item.name} {what}: {verdict.detail} [{verdict.outcome}]")
    verifier.close()


def grade(verifier: MathVerifier, item: Item, response: str) -> Verdict:
    if not item.gold.strip():
        return Verdict(Outcome.INCORRECT, detail="the data set has no answer here")
    return verifier(Problem(item.name, "math", item.prompt, answer=item.gold), response)


def grade_all(
    verifier: MathVerifier, jobs: list[tuple[Item, str]], chunk: int = 1
) -> list[Verdict]:
    def grade_some(some: list[tuple[Item, str]]) -> list[Verdict]:
        return [grade(verifier, *job) for job in some]

    chunks = [jobs[at : at + chunk] for at in range(0, len(jobs), chunk)]
    with ThreadPoolExecutor(2) as threads:
        return [verdict for some in threads.map(grade_some, chunks) for verdict in some]


def wrong(folder: Path, repeats: int = 3) -> None:
    print("\n== other problems' answers: each `correct` is printed")
    seed = random.SystemRandom().randrange(10**6)
    shuffle = random.Random(seed)
    verifier = MathVerifier(2)
    pairs: dict[tuple[str, str], None] = {}
    for group in (SETS[:2], SETS[2:5], SETS[5:8], SETS[8:]):
        golds = sorted({i.gold for name in group for i in items(folder, name) if i.gold.strip()})
        for _ in range(repeats):
            others = shuffle.sample(golds, len(golds))
            pairs |= {(a, b): None for a, b in zip(golds, others, strict=True) if a != b}
    hard = sorted({i.gold for i in items(folder, "math_train") if not i.gold.strip("-").isdigit()})
    pairs |= {
        (a, b): None for a in shuffle.sample(hard, 150) for b in shuffle.sample(hard, 100) if a != b
    }
    jobs = [(Item("pair", a, None), f"\\boxed{{{b}}}") for a, b in pairs]
    verdicts = grade_all(verifier, jobs)
    correct = [
        (a, b) for (a, b), v in zip(pairs, verdicts, strict=True) if v.outcome is Outcome.CORRECT
    ]
    errors = sum(v.outcome is Outcome.ERROR for v in verdicts)
    print(f"seed {seed}: {len(pairs)} distinct pairs, {len(correct)} correct, {errors} errors")
    for a, b in correct:
        print(f"  {a!r} = {b!r}")
    verifier.close()


def echo(folder: Path) -> None:
    print("\n== a formula of the question, or a side of one, as the answer")
    verifier = MathVerifier(2)
    for name in ("math500", "math_train", "dapo_math_17k"):
        whole = random.Random(1).sample(
            list(items(folder, name)), 500 if name == "math500" else 1500
        )
        jobs = [(item, f"\\boxed{{{part}}}") for item in whole for part in formulas(item.prompt)]
        passed: dict[str, str] = {}
        for (item, response), verdict in zip(jobs, grade_all(verifier, jobs), strict=True):
            if verdict.outcome is Outcome.CORRECT and not same_text(
                item.gold, verdict.answer or ""
            ):
                passed[item.name] = f"gold {item.gold!r} response {response!r}"
        print(f"{name}: {len(passed)} of {len(whole)} problems = {len(passed) / len(whole):.2%}")
        for where, pair in passed.items():
            print(f"  {where} {pair}")
    verifier.close()


def formulas(prompt: str) -> set[str]:
    found = {next(group for group in match.groups() if group) for match in FORMULA.finditer(prompt)}
    parts = {part for formula in found for part in (formula, *formula.split("="))}
    return {part for part in (part.strip().rstrip(".,;?") for part in parts) if part}


def same_text(gold: str, answer: str) -> bool:
    """But for a name before an equals sign: that is given, no formula to work out."""
    return _text(gold) == _text(answer)


def _text(text: str) -> str:
    return canonical(normalise(text)).rpartition("=")[2]


def alone(pair: tuple[str, str]) -> bool:
    """math-verify by itself, as its documentation uses it."""
    from math_verify import parse, verify

    return bool(verify(parse(f"\\boxed{{{pair[0]}}}"), parse(pair[1])))


def responses(folder: Path, names: tuple[str, ...], count: int) -> list[tuple[str, str]]:
    """`count` distinct (gold, response) pairs; in every second one another problem's."""
    shuffle = random.Random(5)
    whole = [item for name in names for item in items(folder, name) if item.gold.strip()]
    pairs: dict[tuple[str, str | None], tuple[str, str]] = {}
    while len(pairs) < count:
        item, other = shuffle.choice(whole), shuffle.choice(whole)
        source = item if len(pairs) % 2 else other
        text = source.solution or "Thus the answer follows."
        if "boxed" not in text:
            text = f"{text.rpartition('####')[0] or text}\nThe answer is \\boxed{{{source.gold}}}."
        pairs.setdefault((item.gold, extract_answer(text)), (item.gold, text))
    return list(pairs.values())


def misses(folder: Path, count: int, near: bool) -> list[tuple[str, str]]:
    """Golds that are no plain number, with others of them, or with one character changed."""
    shuffle = random.Random(6)
    golds = sorted({i.gold for name in ("math_train", "math_test") for i in items(folder, name)})
    golds = [gold for gold in golds if gold.strip() and parse_number(gold) is None]
    chosen = shuffle.sample(golds, count)
    others = [changed(shuffle, gold) if near else shuffle.choice(golds) for gold in chosen]
    pairs = zip(chosen, others, strict=True)
    return [(gold, f"So \\boxed{{{other}}}.") for gold, other in pairs if gold != other]


def changed(shuffle: random.Random, gold: str) -> str:
    """Another digit, sign or letter, or one more."""
    places = [m.start() for m in re.finditer(r"\d|[-+]|(?<![a-zA-Z\\])[a-zA-Z](?![a-zA-Z])", gold)]
    if not places or shuffle.random() < 0.2:
        return f"{gold}+1"
    at = shuffle.choice(places)
    old = gold[at]
    choices = "0123456789" if old.isdigit() else "+-" if old in "+-" else "abcknxyz"
    return gold[:at] + shuffle.choice(choices.replace(old, "")) + gold[at + 1 :]


def timed_pairs(folder: Path, count: int) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "GSM8K and DAPO", responses(folder, ("gsm8k_train", "gsm8k_test", "dapo_math_17k"), count)
    both = ("math_train", "math_test")
    yield "MATH", responses(folder, both, count)
    whole = responses(folder, both, 4 * count)
    hard = [pair for pair in whole if parse_number(pair[0]) is None]
    yield "MATH, gold not a plain number", hard[:count]
    yield "MATH, wrong answers", misses(folder, count, near=False)
    yield "MATH, near misses", misses(folder, count // 3, near=True)


def speed(folder: Path, count: int = 1500) -> None:
    import math_verify  # noqa: F401  # imported before any clock starts

    print("\n== speed: two cores, distinct pairs, half of them another problem's answer")
    for title, pairs in timed_pairs(folder, count):
        timed: dict[str, float] = {}
        start = time.perf_counter()
        theirs = [alone(pair) for pair in pairs]
        timed["math-verify, one thread"] = time.perf_counter() - start
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(alone, pairs[:8]))  # started and imported
            start = time.perf_counter()
            list(pool.map(alone, pairs, chunksize=16))
            timed["math-verify, two processes"] = time.perf_counter() - start
        verifier = MathVerifier(2)
        warm(verifier)
        jobs = [(Item("p", gold, None), response) for gold, response in pairs]
        start = time.perf_counter()
        ours = grade_all(verifier, jobs, chunk=16)
        timed["ours, two threads"] = time.perf_counter() - start
        verifier.close()
        verifier = MathVerifier(1)
        warm(verifier)
        start = time.perf_counter()
        for job in jobs:
            grade(verifier, *job)
        timed["ours, one thread"] = time.perf_counter() - start
        verifier.close()
        report_speed(title, pairs, timed)
        correct = [v.outcome is Outcome.CORRECT for v in ours]
        lost = sum(v.outcome is Outcome.ERROR for v in ours)
        print(
            f"  {sum(correct)} correct, {len(pairs) - sum(correct) - lost} incorrect, {lost} errors"
        )
        for (expected, response), a, b in zip(pairs, correct, theirs, strict=True):
            if a != b:
                got = extract_answer(response)
                print(f"  differ: gold {expected!r} answer {got!r}: ours {a}, math-verify {b}")


def warm(verifier: MathVerifier) -> None:
    with ThreadPoolExecutor(2) as threads:
        for number in range(2):
            item = Item("warm", f"x+{number}", None)
            threads.submit(grade, verifier, item, f"\\boxed{{{number}+x}}")


def report_speed(title: str, pairs: list[tuple[str, str]], timed: dict[str, float]) -> None:
    print(f"{title}: {len(pairs)} pairs")
    best = timed["ours, two threads"]
    for name, seconds in timed.items():
        print(f"  {name:27} {len(pairs) / seconds:9.0f} a second   ours is {seconds / best:6.1f} x")


def memory(folder: Path, prompts: int = 256, rollouts: int = 32, steps: int = 4) -> None:
    print(
        f"\n== {prompts} prompts x {rollouts} rollouts, {steps} steps of new prompts, two threads"
    )
    shuffle = random.Random(7)
    whole = [i for i in items(folder, "math_train") if i.gold.strip()]
    verifier = MathVerifier(2)
    warm(verifier)
    for step in range(steps):
        jobs = []
        for item in shuffle.sample(whole, prompts):
            others = [shuffle.choice(whole) for _ in range(4)]
            for _ in range(rollouts):
                source = item if shuffle.random() < 0.5 else shuffle.choice(others)
                jobs.append((item, f"{source.solution}\n\n\\boxed{{{source.gold}}}"))
        start = time.perf_counter()
        verdicts = grade_all(verifier, jobs)
        seconds = time.perf_counter() - start
        slow = sorted(v.seconds for v in verdicts)
        workers = " ".join(f"{rss(pid):.0f}" for pid in sorted(verifier.workers.pids()))
        print(f"step {step}: {len(jobs)} in {seconds:.1f} s ({len(jobs) / seconds:.0f} a second), "
              f"median {statistics.median(slow) * 1e3:.2f} ms, slowest {slow[-1]:.2f} s, "
              f"errors {sum(v.outcome is Outcome.ERROR for v in verdicts)}, "
              f"MiB: host {rss(os.getpid()):.0f}, workers {workers}")  # fmt: skip
    verifier.close()


def rss(pid: int) -> float:
    """MiB resident."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", default=[], help=f"of {', '.join(PARTS)}; all if none")
    chosen = parser.parse_args().parts or PARTS
    if "SRPO_DATA" not in os.environ:
        sys.exit("set SRPO_DATA to the folder with the data sets (*.jsonl)")
    folder = Path(os.environ["SRPO_DATA"])
    for part in chosen:
        if part not in PARTS:
            sys.exit(f"no part {part!r}: choose from {', '.join(PARTS)}")
        globals()[part](folder)


if __name__ == "__main__":
    main()
