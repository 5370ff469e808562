"""Containers for untrusted programs: `open_sandbox()` is the way in."""

from srpo.sandbox.base import (
    Call,
    ExecutionResult,
    Limits,
    Program,
    Sandbox,
    SandboxError,
    TestCode,
)
from srpo.sandbox.mechanisms import available, open_sandbox

__all__ = [
    "Call",
    "ExecutionResult",
    "Limits",
    "Program",
    "Sandbox",
    "SandboxError",
    "TestCode",
    "available",
    "open_sandbox",
]
