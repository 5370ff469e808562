"""Code verdicts on public problems: right, as fast as can be, flat in memory, hard to kill.

    SRPO_DATA=folder python benchmarks/verify_code.py [PART]... [--full] [--kill]

`verdicts`     reference programs and spoiled ones of HumanEval, MBPP and LeetCode
`throughput`   beside verl's prime_code, on the same programs, in the same run, two processes each
`rollouts`     groups of 32 programs: memory, descriptors, processes over time
`kill`         (also --kill) sandbox servers are killed while 1,000 rows are graded

`pip install --no-deps verl` makes the peer available; without it that table is left out.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import multiprocessing
import os
import random
import resource
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer

sys.path.insert(0, str(Path(__file__).parent))  # the workers of the peer import this file too
import code_sets
from code_sets import Item, response, sample, spoil

from srpo.domains import find_domain
from srpo.recipe.schema import VerifierConfig
from srpo.types import Outcome, Problem, Verdict
from srpo.verifiers.pool import VerifierPool

PARTS = ("verdicts", "throughput", "rollouts", "kill")
WORKERS = 2
Job = tuple[Item, str]  # and the response
Answer = tuple[bool, str]  # whether it is correct, and why


def open_pool(time_s: float = 2.0, mechanism: str = "auto") -> VerifierPool:
    config = {"sandbox": mechanism, "workers": WORKERS, "time_limit_s": time_s}
    return VerifierPool(VerifierConfig.model_validate(config), [find_domain("code")])


def grade(pool: VerifierPool, jobs: list[Job]) -> list[Verdict]:
    futures = [pool.submit(item.problem, text) for item, text in jobs]
    return [future.result() for future in futures]


# verdicts


def verdicts(folder: Path, full: bool) -> None:
    print("\n== verdicts: the reference is right, a spoiled one is wrong")
    print(f"{'set':10} {'program':10} {'right':>6} {'wrong':>6} {'error':>6}   a second")
    sets = {
        "HumanEval": sample(code_sets.humaneval(folder), 1000),
        "MBPP": sample(code_sets.mbpp(folder), 1000 if full else 250),
        "LeetCode": sample(code_sets.leetcode(folder), 300 if full else 80),
    }
    unexpected: list[str] = []
    with open_pool(time_s=3 if full else 1) as pool:
        for name, items in sets.items():
            for how in ("reference", *code_sets.MUTATIONS):
                some = items if full or how != "loop" else items[:8]
                unexpected += _verdict_row(pool, name, some, how)
    print(f"{len(unexpected)} that are not as expected:")
    print("\n".join(f"  {line}" for line in unexpected))


def _verdict_row(pool: VerifierPool, name: str, items: list[Item], how: str) -> list[str]:
    if how == "loop":
        items = [_with_limit(item, 1) for item in items]
    programs = [(i, i.reference if how == "reference" else spoil(i, how)) for i in items]
    jobs = [(i, response(p, 0)) for i, p in programs if p is not None]
    start = time.perf_counter()
    found = grade(pool, jobs)
    seconds = time.perf_counter() - start
    counts = Counter(v.outcome for v in found)
    numbers = " ".join(f"{counts[outcome]:6}" for outcome in Outcome)
    print(f"{name:10} {how:10} {numbers} {len(jobs) / seconds:10.0f}", flush=True)
    wanted = Outcome.CORRECT if how == "reference" else Outcome.INCORRECT
    return [
        f"{item.problem.id} {how}: {verdict.outcome}: {verdict.detail[:150]}"
        for (item, _), verdict in zip(jobs, found, strict=True)
        if verdict.outcome is not wanted
    ]


def _with_limit(item: Item, seconds: float) -> Item:
    tests = {**(item.problem.tests or {}), "time_limit_s": seconds}
    return Item(Problem(item.problem.id, "code", "", tests=tests), item.reference, item.entry)


# throughput, beside prime_code


def peer_folder() -> Path | None:
    found = importlib.util.find_spec("verl")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0], "utils", "reward_score", "prime_code")


def peer() -> Any:
    """verl's prime_code alone: `import verl` would want ray, and make each fork dearer."""
    if "prime_code" not in sys.modules:
        folder = peer_folder()
        assert folder is not None
        spec = importlib.util.spec_from_file_location(
            "prime_code", folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules["prime_code"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["prime_code"]


def _start_peer() -> None:
    """In a process of the peer's: it forks for each program, as it does in training."""
    multiprocessing.set_start_method("fork", force=True)
    peer()


def peer_default(text: str, tests: str) -> bool:
    """As verl's default_compute_score calls it: what fails is run again, case by case."""
    return peer().compute_score(text, tests, continuous=True)[0] == 1


def peer_once(text: str, tests: str) -> bool:
    """Its inner check alone, once: the least that prime_code can be asked to do."""
    program = text.split("```python")[-1].split("```")[0]
    found, _ = peer().apps_check_correctness(json.loads(tests), program, timeout=5, debug=False)
    return all(one is True for one in found)


def throughput(folder: Path, full: bool) -> None:
    print("\n== throughput beside verl's prime_code, two processes each")
    if peer_folder() is None:
        print("left out: verl is not installed (pip install --no-deps verl)")
        return
    repeats, count = (7, 300) if full else (3, 60)
    sets = {
        "function": sample(code_sets.leetcode_calls(folder), count),
        "function, many cases": sample(
            code_sets.leetcode_calls(folder, code_sets.LEETCODE_TEST), count
        ),
        "stdin": sample(code_sets.stdin_items(folder), count),
    }
    spawned = multiprocessing.get_context("spawn")  # forks of this process would hold its threads
    executor = ProcessPoolExecutor(WORKERS, spawned, initializer=_start_peer)
    with open_pool() as pool, executor as processes:
        for name, items in sets.items():
            _compare(pool, processes, name, items, repeats)


def _compare(
    pool: VerifierPool, processes: ProcessPoolExecutor, name: str, items: list[Item], repeats: int
) -> None:
    """The sides take turns on the same programs, half of them wrong."""
    sides = {
        "srpo": lambda jobs: [(v.outcome is Outcome.CORRECT, v.detail) for v in grade(pool, jobs)],
        "prime_code": lambda jobs: _by_peer(processes, peer_default, jobs),
        "prime_code, once": lambda jobs: _by_peer(processes, peer_once, jobs),
    }
    for grade_all in sides.values():
        grade_all([(items[0], response(items[0].reference, -1 - n)) for n in range(WORKERS)])
    walls: dict[str, list[float]] = {side: [] for side in sides}
    cpus: dict[str, list[float]] = {side: [] for side in sides}
    differences: Counter[str] = Counter()
    right = graded = 0
    for repeat in range(repeats):
        jobs = _mixed(items, repeat)
        answers = {}
        for side in random.sample(list(sides), len(sides)):
            answers[side], wall, cpu = _timed(sides[side], jobs)
            walls[side].append(wall)
            cpus[side].append(cpu)
        right, graded = right + sum(a for a, _ in answers["srpo"]), graded + len(jobs)
        for side in list(sides)[1:]:
            differences.update(_differences(jobs, answers, side))
    cases = statistics.mean(_cases(item) for item in items)
    print(
        f"{name}: {len(items)} problems of {cases:.1f} cases, {repeats} repeats: {graded} distinct"
        f" programs, {right} correct"
    )
    for side in sides:
        wall, cpu = statistics.median(walls[side]), statistics.median(cpus[side])
        print(
            f"  {side:18} {len(items) / wall:8.1f} programs/s, {cpu / len(items) * 1e3:7.2f} ms of"
            f" CPU each;  srpo is {wall / statistics.median(walls['srpo']):5.1f} x (wall),"
            f" {cpu / statistics.median(cpus['srpo']):5.1f} x (CPU)"
        )
    print(f"  verdicts that differ: {len(differences)}")
    for line in differences:
        print(f"    {line}")


def _cases(item: Item) -> int:
    return len((item.problem.tests or {})["cases"])


def _mixed(items: list[Item], repeat: int) -> list[Job]:
    """Each item's program, right in one repeat and spoiled in the next; none loops."""
    jobs = []
    for number, item in enumerate(items):
        how = code_sets.MUTATIONS[number % 3]  # not the loop: the limits would be measured
        spoiled = spoil(item, how) if (number + repeat) % 2 else None
        text = response(spoiled or item.reference, repeat * len(items) + number)
        jobs.append((item, text))
    return jobs


def _by_peer(
    processes: ProcessPoolExecutor, score: Callable[[str, str], bool], jobs: list[Job]
) -> list[Answer]:
    futures = [processes.submit(score, text, item.peer_tests) for item, text in jobs]
    return [(future.result(), "") for future in futures]


def _timed(
    grade_all: Callable[[list[Job]], list[Answer]], jobs: list[Job]
) -> tuple[list[Answer], float, float]:
    """The answers, wall-clock seconds, CPU seconds."""
    start, cpu = time.perf_counter(), cpu_seconds()
    answers = grade_all(jobs)
    return answers, time.perf_counter() - start, cpu_seconds() - cpu


def _differences(jobs: list[Job], answers: dict[str, list[Answer]], side: str) -> Iterator[str]:
    both = zip(jobs, answers["srpo"], answers[side], strict=True)
    for (item, text), (ours, detail), (theirs, _) in both:
        if ours != theirs:
            wrong = "reference" if item.reference in text and "_wrong" not in text else "spoiled"
            why = f" ({detail[:100]})"
            yield f"{item.problem.id}, {wrong}: {side} {theirs}, srpo {ours}{why}"


# rollouts


def rollouts(folder: Path, full: bool) -> None:
    problems, group, steps = (256, 32, 3) if full else (32, 32, 3)
    items = sample(code_sets.leetcode_calls(folder), problems)
    rng, before = random.Random(1), len(tree())
    print(f"\n== {steps} steps of {problems} problems x {group} rollouts: medians, and (most)")
    names = ("host MiB", "servers MiB", "descriptors", "processes")
    with open_pool(time_s=1) as pool, _sampled(pool, 0.25) as samples:
        for step in range(steps):
            jobs = [job for item in items for job in _group(item, group, step, rng)]
            distinct = len({(item.problem.id, text) for item, text in jobs})
            start, first = time.perf_counter(), len(samples)
            counts = Counter(v.outcome for v in grade(pool, jobs))
            seconds = time.perf_counter() - start
            numbers = ", ".join(f"{counts[o]} {o}" for o in Outcome)
            print(
                f"step {step}: {len(jobs)} programs, {distinct} distinct: {numbers};"
                f" {len(jobs) / seconds:.0f} programs/s"
            )
            columns = list(zip(*samples[first:], strict=True))
            words = [
                f"{name} {statistics.median(column):.1f} ({max(column):.1f})"
                for name, column in zip(names, columns, strict=False)
            ]
            print("  " + ", ".join(words), flush=True)
    print(f"processes left when it is closed: {len(tree()) - before}")


def _group(item: Item, size: int, step: int, rng: random.Random) -> Iterator[Job]:
    """Half right; some as another one of the group, letter for letter; one loop in 8 groups."""
    texts: list[str] = []
    for number in range(size):
        if texts and rng.random() < 0.2:
            texts.append(rng.choice(texts))
            continue
        how = rng.choice(code_sets.MUTATIONS[:3])
        how = "loop" if rng.random() < 1 / (8 * size) else how
        spoiled = spoil(item, how) if how == "loop" or rng.random() < 0.5 else None
        texts.append(response(spoiled or item.reference, step * size + number))
    limited = _with_limit(item, 1)
    return ((limited, text) for text in texts)


@contextlib.contextmanager
def _sampled(pool: VerifierPool, every_s: float) -> Iterator[list[tuple[float, ...]]]:
    """Samples of host MiB, servers MiB, the host's descriptors, processes below it."""
    samples: list[tuple[float, ...]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(every_s):
            servers = sum(memory_mb(pid) for pid in server_pids(pool))
            descriptors = len(os.listdir("/proc/self/fd"))
            host = memory_mb(os.getpid())
            samples.append((host, servers, descriptors, len(tree()) - 1))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


# kill


def kill(folder: Path, full: bool) -> None:
    rows = 1000
    items = sample(code_sets.leetcode_calls(folder), 400)
    items += sample(code_sets.humaneval(folder), 100)
    jobs = [job for repeat in range(2) for job in _mixed(items, repeat)][:rows]
    before = len(tree())
    print(f"\n== killing: {len(jobs)} rows, a random sandbox server is killed every 0.3 s")
    with open_pool(time_s=5) as pool:
        calm = grade(pool, jobs)
    with open_pool(time_s=5) as pool, _killing(pool) as killed:
        start = time.perf_counter()
        wild = grade(pool, jobs)
        seconds = time.perf_counter() - start
    changes = Counter((a.outcome, b.outcome) for a, b in zip(calm, wild, strict=True))
    print(f"{len(wild)} rows came back in {seconds:.0f} s; {len(killed)} servers were killed")
    for (calmly, wildly), count in sorted(changes.items()):
        print(f"  {calmly:9} -> {wildly:9} {count:5}")
    turned = changes[Outcome.CORRECT, Outcome.INCORRECT]
    print(f"turned from correct to incorrect: {turned}")
    for (item, _), a, b in zip(jobs, calm, wild, strict=True):
        if a.outcome is not b.outcome:
            print(f"  {item.problem.id}: {a.outcome} -> {b.outcome}: {b.detail[:120]}")
    print(f"processes left when it is closed: {len(tree()) - before}")
    if turned:
        sys.exit(1)


@contextlib.contextmanager
def _killing(pool: VerifierPool) -> Iterator[list[int]]:
    killed: list[int] = []
    over = threading.Event()

    def strike() -> None:
        while not over.wait(random.uniform(0.2, 0.4)):
            pids = server_pids(pool)
            if pids:
                pid = random.choice(pids)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


# what the system says of our processes


def server_pids(pool: VerifierPool) -> list[int]:
    pids = getattr(getattr(pool.verifiers["code"], "sandbox", None), "pids", None)
    return [pid for pid in pids() if pid > 0] if pids else []


def tree() -> dict[int, list[int]]:
    """This process and all below it: their CPU clock ticks (own and of reaped children)."""
    parents, ticks = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                parents[int(entry)] = int(fields[1])
                ticks[int(entry)] = list(map(int, fields[11:15]))
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return {pid: ticks[pid] for pid in ours}


def cpu_seconds() -> float:
    """Of this process and all below it, dead ones included."""
    return sum(map(sum, tree().values())) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """MiB resident; 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * resource.getpagesize() / 2**20


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}.")] = None,
    full: Annotated[bool, typer.Option(help="More problems, more repeats.")] = False,
    kill_servers: Annotated[bool, typer.Option("--kill", help="Also the part `kill`.")] = False,
) -> None:
    if "SRPO_DATA" not in os.environ:
        sys.exit("set SRPO_DATA to the folder with the data sets (*.jsonl)")
    chosen = list(parts or PARTS[:3])
    if (kill_servers or (full and not parts)) and "kill" not in chosen:
        chosen.append("kill")
    functions = {"verdicts": verdicts, "throughput": throughput, "rollouts": rollouts, "kill": kill}
    for part in chosen:
        if part not in functions:
            sys.exit(f"no part {part!r}: choose from {', '.join(PARTS)}")
        functions[part](Path(os.environ["SRPO_DATA"]), full)


if __name__ == "__main__":
    typer.run(main)
