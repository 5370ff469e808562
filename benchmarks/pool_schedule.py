"""How busy a pool of engines is kept: our schedule, others, and one that knows the lengths.

    python benchmarks/pool_schedule.py [--engines 64] [--prompts 256] [--group 32] [--rows 96]

A simulation. An engine decodes its rows side by side; a step of r rows takes

    STEP_S + ROW_S * r          25 ms for the weights, 0.2 ms for a row's keys and values

about what a 32B model takes on four H100 in bfloat16 at 10,000 tokens (65 GB of weights and 2.6 GB
of keys and values a row over 4 x 3.35 TB/s, with what launching and communication cost). Prefilling
is left out. 96 rows of 8,500 tokens are what such an engine's memory holds. Rows leave when they
end, and others take their places: whole groups, or single rollouts, wherever there is room.

Lengths have two parts: the prompt's own scale, lognormal, and within a group lognormal or Pareto
tails, cut at --most tokens. A ledger knows the mean of the group that the prompt had an epoch ago:
the same scale, drawn again, and moved by what was learnt since (lognormal noise, --noise).

busy        share of engine-time, until the last rollout ends, in which an engine has any row
tokens      tokens decoded, as a share of what full engines would decode in that time
s           until the last rollout ends; one of --most tokens alone takes --most x 25.2 ms
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np
import typer

from srpo.rollout.schedule import Schedule, Work

STEP_S, ROW_S = 0.025, 0.0002

Parts = list[tuple[float, np.ndarray]]  # what is expected of a row, and the rows' lengths
Source = Callable[[int, int], tuple[list[tuple[int, int]], bool]]


class Engine:
    """Rows that decode side by side: each is as far as the tokens since it came."""

    def __init__(self) -> None:
        self.clock, self.tokens, self.busy = 0.0, 0.0, 0.0
        self.ends: list[tuple[float, int]] = []  # (value of `tokens` at a row's end, its part)

    def begin(self, lengths: np.ndarray, part: int) -> None:
        for length in lengths.tolist():
            heapq.heappush(self.ends, (self.tokens + length, part))

    @property
    def step_s(self) -> float:
        return STEP_S + ROW_S * len(self.ends)

    @property
    def next_end(self) -> float:
        return self.clock + (self.ends[0][0] - self.tokens) * self.step_s

    def until(self, now: float) -> None:
        if self.ends:
            self.tokens += (now - self.clock) / self.step_s
            self.busy += now - self.clock
        self.clock = now

    def pop(self) -> int:
        at, part = heapq.heappop(self.ends)
        self.tokens = at
        return part


class Fifo:
    """As `Schedule`, in the order of the prompts: to the engine with the fewest rows."""

    def __init__(self, engines: int, max_rows: int):
        self.max_rows, self.waiting = max_rows, []
        self.out: list[dict[int, Work[int]]] = [{} for _ in range(engines)]

    def add(self, work: list[Work[int]]) -> None:
        self.waiting += work[::-1]

    def assign(self) -> Iterator[tuple[int, Work[int]]]:
        while self.waiting:
            rows = [sum(w.rows for w in out.values()) for out in self.out]
            engine = int(np.argmin(rows))
            if rows[engine] and rows[engine] + self.waiting[-1].rows > self.max_rows:
                return
            work = self.waiting.pop()
            self.out[engine][work.key] = work
            yield engine, work

    def done(self, engine: int, key: int) -> None:
        del self.out[engine][key]


class RoundRobin(Fifo):
    """Each engine has its share from the beginning, and takes from that what it has room for."""

    def __init__(self, engines: int, max_rows: int):
        super().__init__(engines, max_rows)
        self.shares: list[list[Work[int]]] = [[] for _ in range(engines)]

    def add(self, work: list[Work[int]]) -> None:
        for i, one in enumerate(work):
            self.shares[i % len(self.shares)].append(one)

    def assign(self) -> Iterator[tuple[int, Work[int]]]:
        for engine, share in enumerate(self.shares):
            while share:
                rows = sum(w.rows for w in self.out[engine].values())
                if rows and rows + share[0].rows > self.max_rows:
                    break
                work = share.pop(0)
                self.out[engine][work.key] = work
                yield engine, work


def simulate(
    schedule: Schedule[int, int] | Fifo, parts: Parts, engines: int, rows: int
) -> tuple[float, float, float]:
    """Seconds until all is done, and the shares of engine-time and of tokens."""
    pool = [Engine() for _ in range(engines)]
    left = [len(lengths) for _, lengths in parts]
    schedule.add([Work(i, len(n), expected) for i, (expected, n) in enumerate(parts)])
    events: list[tuple[float, int]] = []
    now = 0.0
    while True:
        touched = set()
        for engine, work in schedule.assign():
            pool[engine].until(now)
            pool[engine].begin(parts[work.key][1], work.key)
            touched.add(engine)
        for engine in touched:
            heapq.heappush(events, (pool[engine].next_end, engine))
        while events and events[0][0] != current(pool[events[0][1]]):
            heapq.heappop(events)  # the engine was given more meanwhile
        if not events:
            break
        now, engine = heapq.heappop(events)
        pool[engine].until(now)
        part = pool[engine].pop()
        left[part] -= 1
        if not left[part]:
            schedule.done(engine, part)
        if pool[engine].ends:
            heapq.heappush(events, (pool[engine].next_end, engine))
    total = sum(int(lengths.sum()) for _, lengths in parts)
    fastest = rows / (STEP_S + ROW_S * rows)
    return now, sum(e.busy for e in pool) / (engines * now), total / (engines * now * fastest)


def current(engine: Engine) -> float | None:
    return engine.next_end if engine.ends else None


def lengths_of(
    kind: str, scales: np.ndarray, group: int, most: int, rng: np.random.Generator
) -> np.ndarray:
    """(prompts, group) tokens."""
    shape = (len(scales), group)
    if kind == "lognormal":
        drawn = scales[:, None] * rng.lognormal(0, 0.6, shape)
    else:  # a Pareto tail of index 1.5
        drawn = scales[:, None] * (0.5 + 0.5 * rng.pareto(1.5, shape))
    return np.clip(drawn, 16, most).astype(int)


def main(
    engines: Annotated[int, typer.Option(help="Engines of the pool.")] = 64,
    prompts: Annotated[int, typer.Option(help="Prompts of a step.")] = 256,
    group: Annotated[int, typer.Option(help="Rollouts of a prompt.")] = 32,
    rows: Annotated[int, typer.Option(help="Rows that an engine decodes side by side.")] = 96,
    most: Annotated[int, typer.Option(help="max_new_tokens.")] = 32_768,
    median: Annotated[int, typer.Option(help="Tokens of a typical response.")] = 6_000,
    noise: Annotated[float, typer.Option(help="Of the expectations, as a lognormal sigma.")] = 0.2,
    steps: Annotated[int, typer.Option(help="Simulated steps.")] = 3,
) -> None:
    print(f"{engines} engines of {rows} rows, {prompts} x {group} rollouts, {steps} steps")
    for kind in ("lognormal", "pareto"):
        found: dict[str, list[tuple[float, float, float]]] = {}
        lengths: list[np.ndarray] = []
        for seed in range(steps):
            rng = np.random.default_rng(seed)
            scales = median * rng.lognormal(0, 0.7, prompts)
            now = lengths_of(kind, scales, group, most, rng)
            lengths.append(now)
            before = lengths_of(kind, scales, group, most, rng).mean(1)
            known = before * rng.lognormal(0, noise, prompts)
            whole: Parts = list(zip(known.tolist(), now, strict=True))
            single: Parts = [(k, one) for k, g in whole for one in np.split(g, group)]
            best: Parts = [(float(one[0]), one) for _, one in single]
            tries = {
                "round robin, groups": (RoundRobin(engines, rows), whole),
                "first in, groups": (Fifo(engines, rows), whole),
                "ours, groups": (Schedule(range(engines), rows), whole),
                "round robin, rollouts": (RoundRobin(engines, rows), single),
                "first in, rollouts": (Fifo(engines, rows), single),
                "ours, rollouts": (Schedule(range(engines), rows), single),
                "oracle, rollouts": (Schedule(range(engines), rows), best),
            }
            for name, (schedule, parts) in tries.items():
                found.setdefault(name, []).append(simulate(schedule, parts, engines, rows))
        drawn = np.concatenate(lengths)
        cut = (drawn == most).mean()
        print(f"\n{kind}: mean {drawn.mean():,.0f} tokens, {cut:.1%} cut at {most:,}")
        for name, results in found.items():
            seconds, busy, tokens = np.mean(results, 0)
            print(f"{name:24s} {seconds:8.0f} s   busy {busy:6.1%}   tokens {tokens:6.1%}")


if __name__ == "__main__":
    typer.run(main)
