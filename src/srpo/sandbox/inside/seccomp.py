"""The tables of `syscalls` as filters that the kernel runs at every system call.

A filter is a list of BPF instructions, 8 bytes each. What does not depend on arguments costs a
program nothing: the kernel works it out once, when the filter is installed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache

from .syscalls import (
    ALLOWED,
    CHECKED,
    IGNORED,
    NEAR,
    NOT_THERE,
    OWN_PID,
    REFUSED,
    REMOVALS,
    SIZED,
    YOUNG,
    Word,
)

MACHINES = ("x86_64", "aarch64")  # the columns of the tables
_AUDIT_ARCH = (0xC000003E, 0xC00000B7)
_X32 = 0x40000000  # x86_64 has a second number for every call, from here on
# BPF: instructions, results, and where the fields of struct seccomp_data lie.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ASK, _DIE, _REFUSE = 0x7FFF0000, 0x7FC00000, 0x80000000, 0x00050000
_AT_NUMBER, _AT_ARCH, _AT_ARGUMENTS = 0, 4, 16
_GIB_4 = 1 << 32

Code = list[bytes]


def program_filter(machine: str, pid: int, near: tuple[int, ...], sized: bool) -> bytes:
    """The filter for process `pid`.

    pid      as the process itself sees it: the number that it may signal
    near     upper halves of the addresses that it may map memory at
    sized  whether files may be removed and renamed
    """
    whole = _template(machine, near, sized)
    return whole.replace(struct.pack("I", OWN_PID), struct.pack("I", pid))


def thread_filter(machine: str) -> bytes:
    """Asks whoever listens before a thread begins or ends; leaves all else to other filters."""
    column = MACHINES.index(machine)
    out = [_op(_LOAD, _AT_ARCH), _op(_IF_EQUAL, _AUDIT_ARCH[column], 1, 0), _op(_RETURN, _ALLOW)]
    out += [_op(_LOAD, _AT_NUMBER)]
    for numbers in (CHECKED["clone"].numbers, ALLOWED["exit"]):
        out += _call(numbers[column], [_op(_RETURN, _ASK)])
    return b"".join([*out, _op(_RETURN, _ALLOW)])


def near(address: int, memory_bytes: int) -> tuple[int, ...]:
    """Upper halves of the addresses within reach of `memory_bytes` from `address`, and those
    below 4 GiB: 8 MiB of page tables each at most."""
    here, reach = address // _GIB_4, memory_bytes // _GIB_4 + 1
    return (0, *range(max(1, here - reach), here + reach + 1))


@cache
def _template(machine: str, near: tuple[int, ...], sized: bool) -> bytes:
    """The filter for OWN_PID. Built before the fork, it costs a program nothing."""
    column = MACHINES.index(machine)
    out = [_op(_LOAD, _AT_ARCH), _op(_IF_EQUAL, _AUDIT_ARCH[column], 1, 0), _op(_RETURN, _DIE)]
    out += [_op(_LOAD, _AT_NUMBER), _op(_IF_AT_LEAST, _X32, 0, 1), _op(_RETURN, _DIE)]
    allowed, ignored = dict(ALLOWED), dict(IGNORED)
    (allowed if sized else ignored).update(REMOVALS)
    allowed.update(SIZED if sized else {})
    refused = [(table, _REFUSE | error) for error, table in REFUSED.items()]
    for table, result in ((allowed, _ALLOW), (ignored, _REFUSE), *refused):
        for numbers in table.values():
            out += _call(numbers[column], [_op(_RETURN, result)])
    for checked in CHECKED.values():
        block = [_op(_RETURN, _REFUSE | checked.refused)]
        if checked.ignored:
            block = _branch(checked.ignored, near, _REFUSE) + block
        if checked.or_allowed:
            block = _branch(checked.or_allowed, near, _ALLOW) + block
        if checked.allowed:
            block = _branch(checked.allowed, near, _ALLOW) + block
        out += _call(checked.numbers[column], block)
    out += [_op(_IF_AT_LEAST, YOUNG, 0, 1), _op(_RETURN, _REFUSE | NOT_THERE)]
    return b"".join([*out, _op(_RETURN, _REFUSE | 1)])


def _call(number: int | None, block: Code) -> Code:
    """`block`, which ends in a result, for one system call."""
    return [] if number is None else [_op(_IF_EQUAL, number, 0, len(block)), *block]


def _branch(words: Iterable[Word], near: tuple[int, ...], result: int) -> Code:
    """`result` when all conditions hold; where one does not, on behind it."""
    code = [_op(_RETURN, result)]
    for word in reversed(tuple(words)):
        at = _AT_ARGUMENTS + 8 * word.argument + 4 * word.high
        code = [_op(_LOAD, at), *_tests(word, near, len(code)), *code]
    return code


def _tests(word: Word, near: tuple[int, ...], past: int) -> Code:
    """Falls through where the condition holds, else jumps over the `past` next instructions."""
    if word.no_bits:
        return [_op(_IF_BITS, word.no_bits, past, 0)]
    if word.some_bits:
        return [_op(_IF_BITS, word.some_bits, 0, past)]
    values = near if word.values == NEAR else word.values
    last = len(values) - 1
    return [
        _op(_IF_EQUAL, value, last - i, past if i == last else 0) for i, value in enumerate(values)
    ]


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)
