"""The exceptions that leave the package. Each is an `SRPOError`, and a builtin's kin as well.

    SRPOError
    ├── UserError (ValueError)           the caller or the input is wrong; every part raises it
    │   ├── DamagedCheckpoint            `resume`: no checkpoint is whole
    │   ├── RowFault                     `read_rows`, adapters: one row that cannot be read
    │   └── OverlongPrompt               `Prompter`: more tokens than data.max_prompt_tokens
    └── TrainingError (RuntimeError)     what was asked for is right, and it cannot go on
        ├── NotFiniteError               `Learner.step`: a loss or a gradient is not finite
        ├── EngineError                  `RolloutEngine`: decoding, or taking new weights, failed
        │   └── TransferError            `transfer`: new weights did not reach everybody
        ├── StaleWeightsError            `FreshnessCheck`: rollouts are not by the learner's weights
        ├── RankError                    `Learner`: one of its processes died or does not answer
        ├── SandboxError                 `Sandbox.run`: no server to run a program in
        └── MathWorkerError              `MathVerifier`: no process to compare answers in

The last two end as a verdict, Outcome.ERROR, in `VerifierPool` and in all that is above it. What is
raised and caught within one part is declared there (a peer that fell silent, say). A broken promise
of our own is an AssertionError: report it. A full disk is the OSError that it was.
"""

from __future__ import annotations

import traceback

HELP = ("For further information visit", "Fix these issues to save")  # no part of a reason


class SRPOError(Exception):
    """Base of the errors that people cause and can mend; the CLI prints the message alone."""


class UserError(SRPOError, ValueError):
    """Bad input: names the field, the value and the fix."""


class DamagedCheckpoint(UserError):
    """A checkpoint whose files are not those that were written."""


class RowFault(UserError):
    """A row of a data set that cannot be read: names the column, its value and what was expected.
    The rows after it can be."""


class OverlongPrompt(UserError):
    """A prompt has more tokens than the recipe allows."""


class TrainingError(SRPOError, RuntimeError):
    """The run cannot go on: diverged, disk full, verifiers down. The last checkpoint is kept."""


class NotFiniteError(TrainingError):
    """Loss or gradient is not finite; the weights are still those of before the update."""


class EngineError(TrainingError):
    """The engine failed and cannot go on; nothing of what it had in flight was handed out."""


class TransferError(EngineError):
    """New weights did not reach an engine in another process. `missing` has the numbers of the
    receivers without them; the others have all."""

    def __init__(self, message: str, missing: tuple[int, ...] = ()):
        super().__init__(message)
        self.missing = missing


class StaleWeightsError(TrainingError):
    """The engine does not sample from the learner's weights."""


class RankError(TrainingError):
    """A process of a sharded learner died or missed its deadline; the others were ended."""


class SandboxError(TrainingError):
    """Our machinery failed (no server could be started or kept alive). Says nothing of the
    program: the verdict is ERROR, never INCORRECT."""


class MathWorkerError(TrainingError):
    """Workers kept dying, at their start or on the same comparison."""


def in_one_line(error: BaseException, most: int = 600) -> str:
    """What an error of somebody else's says, cause and all, cut to `most` characters.

    pydantic, vLLM and transformers put the reason below their first line, and an error that was
    raised from another may not repeat what that said.
    """
    said: list[str] = []
    at: BaseException | None = error
    while at is not None and len(said) < 4:
        lines = [line.strip() for line in str(at).splitlines()]
        text = " ".join(line for line in lines if line and not line.startswith(HELP))
        text = f"{type(at).__name__}: {text}" if text else f"{type(at).__name__}{_place(at)}"
        if not any(text.partition(": ")[2] in earlier for earlier in said):
            said.append(text)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    whole = ", because of ".join(said)
    return whole if len(whole) <= most else whole[: most - 3] + "..."


def _place(error: BaseException) -> str:
    """Where it was raised, for one that says nothing."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
