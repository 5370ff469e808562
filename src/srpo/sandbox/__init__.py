"""Containers for untrusted programs: `mechanisms.open_sandbox()` is the way in."""
