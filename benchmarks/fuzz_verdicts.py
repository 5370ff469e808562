"""Random and mutated texts through answer extraction and math grading.

    python benchmarks/fuzz_verdicts.py [--extraction N] [--grading N] [--seed N]

Fails on an exception, on a text that takes long, on an ERROR, and on a `correct` for an answer
of another value. Values are known because the fuzzer builds its expressions from them; a
`correct` for a mutated answer counts as confirmed when its letters and digits are the gold's
or when math-verify, alone, agrees, and is printed otherwise.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

from srpo.types import Outcome, Problem
from srpo.verifiers.math.extract import boxed_spans, extract_answer
from srpo.verifiers.math.verifier import MathVerifier

FRAGMENTS = [
    "\\boxed{", "}", "{", "\\fbox {", "<answer>", "</answer>", "#### ", '{"answer": ', '"', "\\",
    "the answer is ", "Final Answer: ", "\n", " ", "$", "$$", "\\(", "\\)", "\\[", "\\]", "42",
    "-3", "1,234", "0.5", "\\frac{1}{2}", "\\frac12", "\\sqrt{2}", "x", "+", "=", "(", ")", "[",
    "]", ",", "\\{", "\\}", "\\text{", "\\left(", "\\right)", "\\pi", "^", "_", "%", "\\%", "\\pm",
    "\\cup", "\\infty", " and ", " or ", "&", "\\\\", "\\begin{pmatrix}", "\\end{pmatrix}", "é",
    "\N{MINUS SIGN}", "\x00", "\ud800", "\U0001f600", "٣", "cm", "!", "'", ":", ";", ".", "|", "≤",
]  # fmt: skip
SLOW_S = 0.25  # for a text of at most some thousand characters


@dataclass(frozen=True)
class Case:
    gold: str
    answer: str
    equal: bool | None  # None: the answer is mutated, its value unknown


def random_text(rng: random.Random) -> str:
    """Fragments, sometimes repeated thousands of times, sometimes mutated."""
    pieces = [rng.choice(FRAGMENTS) for _ in range(rng.randint(0, 30))]
    text = "".join(pieces)
    if rng.random() < 0.005:
        text += rng.choice(FRAGMENTS) * rng.randint(100, 3000)
    return mutate(rng, text) if rng.random() < 0.3 else text


def mutate(rng: random.Random, text: str) -> str:
    """Delete, double, swap or replace a few characters."""
    letters = list(text)
    for _ in range(rng.randint(1, 3)):
        if not letters:
            break
        at = rng.randrange(len(letters))
        kind = rng.randrange(4)
        if kind == 0:
            del letters[at]
        elif kind == 1:
            letters.insert(at, rng.choice("0123456789.,-+/{}()\\$%x =^_"))
        elif kind == 2:
            letters[at] = rng.choice("0123456789.,-+/{}()\\$%x =^_")
        else:
            other = rng.randrange(len(letters))
            letters[at], letters[other] = letters[other], letters[at]
    return "".join(letters)


def spell(rng: random.Random, value: Fraction) -> str:
    """One of the ways to write a number."""
    a, b = value.numerator, value.denominator
    sign, a = ("-" if a < 0 else ""), abs(a)
    if b == 1:
        more = rng.randint(2, 9)
        return sign + rng.choice([
            f"{a}", f"{a:,}", f"{a}.0", f"\\frac{{{a * more}}}{{{more}}}", f"{a}^1",
            f"\\frac{{{2 * a}}}{{\\sqrt{{4}}}}", f"{a}\\text{{ cm}}", f"\\${a}",
            f"\\sqrt{{{a * a}}}",
        ])  # fmt: skip
    more = rng.randint(1, 9)
    spelled = [f"{a}/{b}", f"\\frac{{{a}}}{{{b}}}", f"\\dfrac{{{a * more}}}{{{b * more}}}"]
    spelled += [f"\\frac{{\\sqrt{{{a * a}}}}}{{{b}}}", f"\\frac{{{a}^1}}{{{b}^{{1}}}}"]
    if a < 10 and b < 10:
        spelled.append(f"\\frac{a}{b}")
    if a > b:
        spelled.append(f"{a // b}\\frac{{{a % b}}}{{{b}}}")
    return sign + rng.choice(spelled)


def computation(rng: random.Random, value: Fraction) -> str:
    """A way to ask for a number, which is no way to write it."""
    a, b = value.numerator, value.denominator
    other = rng.randint(2, 30)
    return rng.choice([
        f"\\frac{{{a - other}}}{{{b}}} + \\frac{{{other}}}{{{b}}}", f"\\frac{{1}}{{{b}}}\\cdot {a}",
        f"({a})({b}^{{-1}})", f"\\frac{{{a * other} - 0}}{{{b * other}}}",
        f"\\frac{{{a}}}{{{b}}}\\sin 90^\\circ", f"\\frac{{{a}\\cdot 2!}}{{{2 * b}}}",
        f"\\sum_{{k=1}}^{{1}} \\frac{{{a}}}{{{b}}}", f"\\binom{{{other}}}{{0}}\\frac{{{a}}}{{{b}}}",
    ])  # fmt: skip


def number(rng: random.Random) -> Fraction:
    return Fraction(
        rng.randint(-60, 60) * rng.choice([1, 1, 1, 100]), rng.choice([1, 1, 2, 3, 7, 8])
    )


def build(rng: random.Random, values: tuple[Fraction, ...], kind: str) -> str:
    spelled = [spell(rng, value).replace("\\text{ cm}", "").replace("\\$", "") for value in values]
    a, b = spelled[0], spelled[-1]
    if any("," in s for s in spelled):
        spelled = [s.replace(",", "") for s in spelled]
        a, b = spelled[0], spelled[-1]
    if kind == "list":
        rng.shuffle(spelled)
        return rng.choice([", ", " and ", ",\\ ", " \\text{ or } "]).join(spelled)
    return {
        "scalar": a,
        "set": f"\\{{{', '.join(rng.sample(spelled, len(spelled)))}\\}}",
        "tuple": f"\\left({', '.join(spelled)}\\right)",
        "closed": f"[{a}, {b}]",
        "assignment": rng.choice([f"x = {a}", f"x={a}"]),
        "root": a + rng.choice([" + \\sqrt{2}", " + 1 \\cdot \\sqrt{2}"]),
        "linear": rng.choice([f"({a})x + y", f"y + x\\cdot ({a})"]),
        "below": rng.choice([f"x < {a}", f"{a} > x"]),
        "matrix": f"\\begin{{pmatrix}} {a} & {b} \\\\ 0 & 1 \\end{{pmatrix}}",
    }[kind]


KINDS = ("scalar", "scalar", "scalar", "list", "set", "tuple", "closed", "assignment", "root",
         "linear", "below", "matrix")  # fmt: skip
ORDERLESS = ("list", "set")


def case(rng: random.Random) -> Case:
    """A gold answer, and an answer that is equal, of another value or kind, not worked out, or
    mutated."""
    kind = rng.choice(KINDS)
    values = tuple(number(rng) for _ in range(2))
    gold = build(rng, values, kind) if kind != "scalar" else spell(rng, values[0])
    what = rng.random()
    if what < 0.06 and kind == "scalar":
        value = values[0]
        return Case(f"{value.numerator}/{value.denominator}", computation(rng, value), False)
    if what < 0.3:
        return Case(gold, build(rng, values, kind), True)
    others = tuple(number(rng) for _ in range(2))
    if what < 0.6 and kind not in ("scalar", "assignment", "root", "linear", "below"):
        same = set(values) == set(others) if kind in ORDERLESS else values == others
        return Case(gold, build(rng, others, kind), same)
    if what < 0.6:
        return Case(gold, build(rng, others, kind), values[0] == others[0])
    if what < 0.7:
        other = rng.choice([k for k in ("set", "closed", "matrix", "below", "linear") if k != kind])
        if len(set(values)) > 1 and not (kind in ORDERLESS and other in ORDERLESS):
            return Case(gold, build(rng, values, other), False)
    return Case(gold, mutate(rng, build(rng, values, kind)), None)


def fuzz_extraction(seed: int, count: int) -> list[str]:
    """Complaints, and a summary line on stdout."""
    rng = random.Random(seed)
    complaints, found, slowest = [], 0, 0.0
    for index in range(count):
        text = random_text(rng)
        start = time.perf_counter()
        try:
            answer = extract_answer(text, prose=index % 4 == 0)
        except Exception as error:
            complaints.append(f"seed {seed} text {index} {text[:200]!r}: {error!r}")
            continue
        seconds = time.perf_counter() - start
        slowest = max(slowest, seconds)
        found += answer is not None
        if seconds > SLOW_S:
            complaints.append(f"seed {seed} text {index}: {seconds:.2f} s, {len(text)} characters")
        if answer is not None and (not answer.strip() or boxed_spans(text)[1]):
            complaints.append(f"seed {seed} text {index} {text[:200]!r}: answer {answer[:80]!r}")
    print(f"extraction: seed {seed}, {count} texts, {found} with an answer, "
          f"slowest {slowest * 1e3:.1f} ms, {len(complaints)} complaints")  # fmt: skip
    return complaints


def fuzz_grading(seed: int, count: int, threads: int = 2) -> list[str]:
    """Complaints, and summary lines on stdout."""
    rng = random.Random(seed)
    cases = [case(rng) for _ in range(count)]
    verifier = MathVerifier(threads, time_limit_s=10)

    def grade(one: Case):
        problem = Problem("fuzz", "math", "", answer=one.gold)
        return verifier(problem, f"So \\boxed{{{one.answer}}}.")

    with ThreadPoolExecutor(threads) as pool:
        verdicts = list(pool.map(grade, cases))
    verifier.close()
    complaints, tally = [], Counter[str]()
    for one, verdict in zip(cases, verdicts, strict=True):
        correct = verdict.outcome is Outcome.CORRECT
        known = {True: "equal", False: "different", None: "mutated"}[one.equal]
        tally[f"{known} {verdict.outcome}"] += 1
        text = f"seed {seed}: gold {one.gold!r} answer {one.answer!r} ({known}): {verdict}"
        if verdict.outcome is Outcome.ERROR or (correct and one.equal is False):
            complaints.append(text)
        elif one.equal and not correct:
            print(f"lost: {text}"[:300])
        elif correct and one.equal is None and not confirmed(one):
            tally["mutated correct unconfirmed"] += 1
            print(f"unconfirmed: gold {one.gold!r} answer {verdict.answer!r}")
    slowest = max((v.seconds for v in verdicts), default=0)
    print(f"grading: seed {seed}, {count} cases, {dict(sorted(tally.items()))}, "
          f"slowest {slowest:.2f} s, {len(complaints)} complaints")  # fmt: skip
    return complaints


def confirmed(one: Case) -> bool:
    def bare(text: str) -> str:
        return re.sub(r"\\[!,;: ]|[^0-9a-zA-Z.+/^_-]|left|right", "", text)

    answer = extract_answer(f"\\boxed{{{one.answer}}}") or ""
    return bare(one.gold) == bare(answer) or _agrees(one.gold, answer)


def _agrees(gold: str, answer: str) -> bool:
    from math_verify import parse, verify

    return bool(verify(parse(f"\\boxed{{{gold}}}"), parse(f"\\boxed{{{answer}}}")))


def main() -> Iterator[str]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--extraction", type=int, default=0, help="texts through extraction")
    parser.add_argument("--grading", type=int, default=0, help="cases through math grading")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    options = parser.parse_args()
    if options.extraction:
        yield from fuzz_extraction(options.seed, options.extraction)
    if options.grading:
        yield from fuzz_grading(options.seed, options.grading)


if __name__ == "__main__":
    failures = list(main())
    print(*failures[:50], sep="\n")
    sys.exit(1 if failures else 0)
