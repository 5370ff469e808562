"""When a program's time is up.

Its limit is meant for the program, not for the machine: where other programs or the training itself
have the cores, one that computes gets its seconds of CPU time all the same, as far as PATIENCE
times as many of the wall clock go. One that waits has the wall clock alone.
"""

from __future__ import annotations

import time

PATIENCE = 3
_LOOKS = 0.75  # of the limit: whether it computes is measured from then on
_COMPUTES = 0.02  # of the wall clock: one that only wakes up now and then takes less


class Clock:
    """Of one process that has begun now.

    limit_s    as in `Limits.time_s`
    may_wait   whether waiting is no fault of its own: tests wait for a program
    """

    def __init__(self, pid: int, limit_s: float, may_wait: bool = False) -> None:
        self.limit_s, self._may_wait = limit_s, may_wait
        self.started = time.monotonic()
        self._cpu_clock = (~pid << 3) | 2  # as clock_getcpuclockid has it: all threads together
        self._then: tuple[float, float] | None = None  # wall, CPU

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def wait(self) -> float:
        """Seconds until the next moment at which `is_up` may change."""
        spent = self.seconds()
        moments = (_LOOKS * self.limit_s, self.limit_s, PATIENCE * self.limit_s)
        return next((at - spent for at in moments if at > spent), 0.0)

    def is_up(self) -> bool:
        spent = self.seconds()
        if spent < _LOOKS * self.limit_s:
            return False
        cpu = self._cpu()
        if self._then is None:
            self._then = spent, cpu
        if spent < self.limit_s:
            return False
        wall_then, cpu_then = self._then
        computes = self._may_wait or cpu - cpu_then > _COMPUTES * (spent - wall_then)
        return not computes or cpu >= self.limit_s or spent >= PATIENCE * self.limit_s

    def _cpu(self) -> float:
        try:
            return time.clock_gettime(self._cpu_clock)
        except OSError:  # it has ended
            return 0.0
