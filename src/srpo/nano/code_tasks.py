"""Nano's programming: a sentence that composes a source, a filter, a map and a reduction.

"the sum of the squares of the even numbers in xs" is four choices; every choice has near
misses (`>` for `>=`, `range(n)` for `range(1,n+1)`, `max` for `min`), which is where the
base model goes wrong. The answer is a Python function `f`, checked against hidden cases.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

K = "K"  # stands for the number drawn for a part


@dataclass(frozen=True)
class Part:
    """One choice: its words in the question, its Python, and the near misses to it."""

    words: str
    code: str
    near: tuple[str, ...] = ()

    def draw(self, rng: random.Random) -> Part:
        """The part with a number of 2 to 15 in place of K, everywhere the same."""
        k = str(rng.randint(2, 15))
        return replace(
            self,
            words=self.words.replace(K, k),
            code=self.code.replace(K, k),
            near=tuple(n.replace(K, k) for n in self.near),
        )


SOURCES = (
    Part("in xs", "xs", ("xs[1:]", "xs[:-1]")),
    Part("from 1 to n", "range(1,n+1)", ("range(1,n)", "range(n)", "range(n+1,1)")),
    Part("in the digits of n", "map(int,str(n))", ("range(n)", "str(n)")),
)
FAMILIES = [source.words.replace(" ", "_") for source in SOURCES]
FILTERS = (
    Part("numbers", "", ("x>0", "x%2==0")),
    Part("even numbers", "x%2==0", ("x%2==1", "x%2", "")),
    Part("odd numbers", "x%2==1", ("x%2==0", "x%3==1", "")),
    Part("numbers above K", "x>K", ("x>=K", "x<K", "")),
    Part("numbers below K", "x<K", ("x<=K", "x>K", "")),
    Part("multiples of K", "x%K==0", ("x%K==1", "x>K", "x%K")),
)
MAPS = (
    Part("", "x", ("x*x", "-x")),
    Part("squares of the ", "x*x", ("x*2", "x", "x+x")),
    Part("doubles of the ", "x*2", ("x*x", "x+2", "x")),
    Part("negatives of the ", "-x", ("x", "x-1")),
    Part("remainders by K of the ", "x%K", ("x//K", "x", "x-K")),
    Part("K-folds of the ", "x*K", ("x+K", "x", "x%K")),
    Part("successors of the ", "x+1", ("x-1", "x", "x+x")),
)
REDUCTIONS = (
    Part("sum of the ", "sum(@)", ("len(@)", "max(@,default=0)")),
    Part("number of different ", "len(set(@))", ("len(@)", "sum(set(@))")),
    Part("largest (or 0) of the ", "max(@,default=0)", ("min(@,default=0)", "sum(@)")),
    Part("smallest (or 0) of the ", "min(@,default=0)", ("max(@,default=0)", "sum(@)")),
    Part("list of the ", "@", ("sum(@)", "sorted(@)")),
    Part("sorted list of the ", "sorted(@)", ("@", "sorted(@)[::-1]")),
)


@dataclass(frozen=True)
class Pipeline:
    """The Python of each of the four parts, as some writer understood the question."""

    source: str
    keep: str
    map: str
    end: str

    def function(self) -> str:
        """Its Python: `def f(xs)` or `def f(n)`, of one return."""
        argument = "xs" if self.source.startswith("xs") else "n"
        condition = f" if {self.keep}" if self.keep else ""
        values = f"[{self.map} for x in {self.source}{condition}]"
        return f"def f({argument}):\n return {self.end.replace('@', values)}"


@dataclass(frozen=True)
class CodeTask:
    """A question of four parts, and the seed of its hidden cases."""

    parts: tuple[Part, Part, Part, Part]  # source, filter, map, reduction
    case_seed: int

    @property
    def question(self) -> str:
        """What the model is asked: one sentence."""
        source, keep, mapped, end = (p.words for p in self.parts)
        argument = "xs" if source == "in xs" else "n"
        return f"Write f({argument}): the {end}{mapped}{keep} {source}."

    @property
    def family(self) -> str:
        """By the source of the numbers: one of FAMILIES."""
        return self.parts[0].words.replace(" ", "_")

    @property
    def level(self) -> int:
        """1 to 4: one more for each part that is not the plain choice."""
        source, keep, mapped, _ = self.parts
        return 1 + (source.code != "xs") + bool(keep.code) + (mapped.code != "x")

    @property
    def pipeline(self) -> Pipeline:
        """The solution."""
        source, keep, mapped, end = (p.code for p in self.parts)
        return Pipeline(source, keep, mapped, end)

    def arguments(self) -> list[Any]:
        """The inputs of the hidden cases; the same task always has the same ones."""
        rng = random.Random(self.case_seed)
        if self.parts[0].code == "xs":
            drawn = [[rng.randint(-20, 30) for _ in range(rng.randint(4, 9))] for _ in range(6)]
            return [*drawn, [], [rng.randint(2, 9)]]
        if self.parts[0].code.startswith("range"):
            return [*(rng.randint(2, 40) for _ in range(6)), 0, 1]
        return [*(rng.randint(10, 99999) for _ in range(7)), 7]

    def cases(self) -> list[dict[str, Any]]:
        """The hidden cases, as a problem's `tests` have them, by the solution."""
        function = compile_function(self.pipeline.function())
        return [{"args": [a], "expected": function(a)} for a in self.arguments()]


def compile_function(source: str) -> Any:
    """Our own reference solution as a callable. Never for a model's text."""
    scope: dict[str, Any] = {}
    exec(source, scope)
    return scope["f"]


def code_task(rng: random.Random) -> CodeTask:
    """A task in which every part of the question matters to the hidden cases."""
    while True:
        parts = tuple(rng.choice(o).draw(rng) for o in (SOURCES, FILTERS, MAPS, REDUCTIONS))
        source, keep, mapped, end = parts
        task = CodeTask((source, keep, mapped, end), rng.getrandbits(32))
        if len({str(c["expected"]) for c in task.cases()}) >= 4:
            return task
