"""What is out at an engine that takes rollouts one at a time, and what came back of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event

from srpo.rollout.engine import Finished, Request, Sampling
from srpo.types import FinishReason, Rollout, UserError

SEEDS = 2**63  # what torch and vLLM take is below


@dataclass(frozen=True, slots=True)
class Job:
    """One rollout to sample. No two jobs of a `Jobs` share a name, so a late answer to a failed
    try cannot pass for the answer to the next."""

    name: str
    prompt_ids: list[int]
    seed: int


@dataclass(slots=True)
class _Place:
    request: int
    member: int
    retried: bool


class Jobs:
    """The rollouts of some requests: each is tried again once, and used once. The longest are
    expected first.

    Submit what `next` gives and hand every answer to `take`, until `open` is False.
    """

    def __init__(self, requests: list[Request]):
        self.requests = requests
        self.rollouts: list[dict[int, Rollout]] = [{} for _ in requests]
        self.waiting = [
            _Place(i, member, False)
            for i, request in longest_first(requests)
            for member in range(request.n)
        ]
        self.out: dict[str, _Place] = {}

    @property
    def open(self) -> bool:
        return bool(self.waiting or self.out)

    def next(self) -> list[Job]:
        """What is to be submitted now: everything at first, later the second tries."""
        jobs = []
        for place in self.waiting:
            request = self.requests[place.request]
            name = f"{place.request}-{place.member}-{int(place.retried)}"
            self.out[name] = place
            jobs.append(Job(name, request.prompt_ids, (request.seed + place.member) % SEEDS))
        self.waiting = []
        return jobs

    def take(self, name: str, rollout: Rollout) -> tuple[Request, list[Rollout]] | None:
        """Accept a job's rollout; returns its group if that is now complete.

        A name that is not out is passed over: that rollout was given up or used before.
        """
        place = self.out.pop(name, None)
        if place is None:
            return None
        if rollout.finish_reason is FinishReason.ABORT and not place.retried:
            self.waiting.append(_Place(place.request, place.member, True))
            return None
        request, group = self.requests[place.request], self.rollouts[place.request]
        group[place.member] = rollout
        if len(group) < request.n:
            return None
        return request, [group[i] for i in range(request.n)]


def longest_first(requests: Sequence[Request]) -> list[tuple[int, Request]]:
    """The requests with their places, in the order in which to begin them."""
    return sorted(enumerate(requests), key=lambda each: -each[1].expected)


def finish(
    requests: list[Request], submit: Callable[[Job], Future[Rollout]], closing: Event
) -> Finished:
    """The groups of requests whose rollouts are sampled one by one, in threads.

    Args:
        submit: begins to sample one.
        closing: is set while what is out is given up, so that nothing waits for a server.
    """
    jobs = Jobs(requests)
    out: dict[Future[Rollout], str] = {}
    done: SimpleQueue[Future[Rollout]] = SimpleQueue()  # to look at all that is out would take long
    try:
        while jobs.open:
            for job in jobs.next():
                future = submit(job)
                out[future] = job.name
                future.add_done_callback(done.put)
            future = done.get()
            if group := jobs.take(out.pop(future), future.result()):
                yield group
    finally:
        closing.set()
        for future in out:
            future.cancel()
        wait(out)
        closing.clear()


def check_lengths(requests: list[Request], sampling: Sampling, context: int) -> None:
    """An engine may cut such a response short without a word. Raises UserError."""
    longest = max((len(r.prompt_ids) for r in requests), default=0)
    if longest + sampling.max_new_tokens > context:
        raise UserError(
            f"rollout.max_new_tokens: {sampling.max_new_tokens}, with a prompt of {longest}"
            f" tokens, is more than the {context} tokens that vLLM was started for;"
            f" use at most {max(context - longest, 0)}"
        )
