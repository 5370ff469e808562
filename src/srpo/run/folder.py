"""The files that a run leaves, and how they are cut back when it is resumed."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shlex
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from srpo.files import replacing, write_parts, write_whole
from srpo.learner.batch import TrainBatch
from srpo.learner.learner import Learner
from srpo.learner.saving import save_tensors
from srpo.metrics import Row
from srpo.recipe.load import dump_recipe
from srpo.recipe.schema import Recipe
from srpo.run.files import RunFiles
from srpo.run.origin import Origin
from srpo.types import Group, TrainingError, UserError, short
from srpo.verifiers.domain import Domain


class RunFolder(RunFiles):
    """A run's folder as the run itself sees it: claimed, written to, cut back."""

    @cached_property
    def origin(self) -> Origin:
        """Where and when the run began, which is here and now for a new one."""
        return Origin.here() if self.missing else Origin.of(self)

    @property
    def resume_command(self) -> str:
        return f"srpo resume {shlex.quote(str(self.path))}"

    @property
    def anew_command(self) -> str:
        """What starts another run with this one's weights."""
        return f"srpo train --from {shlex.quote(str(self.path))}"

    def check_free(self) -> None:
        if not self.missing:
            raise UserError(
                f"output_dir: {str(self.path)!r} already holds a run; go on with it"
                f" ({self.resume_command}) or choose another (--set output_dir=...)"
            )
        others = {p.name for p in self.path.iterdir()} if self.path.is_dir() else set()
        # A run that was killed before it had a recipe may have left some of its own.
        ours = {p.name for p in vars(self).values() if isinstance(p, Path)} - {self.recipe.name}
        if strange := sorted(n for n in others - ours if not n.startswith(".writing-")):
            raise UserError(
                f"output_dir: {str(self.path)!r} holds other things ({short(strange)}), and a run"
                " wants a folder of its own; choose another (--set output_dir=...)"
            )

    def check_is_run(self) -> None:
        if self.missing:
            raise UserError(f"{str(self.path)!r} is no run: it has no {self.missing}")

    @contextmanager
    def founded(self) -> Iterator[None]:
        """Claimed, for a new run. Where none comes of it, no folder is left. Raises UserError."""
        self.check_free()
        new = not self.path.exists()
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)
        with self.claimed():
            try:
                yield
            finally:
                if self.missing:
                    self.lock.unlink()
                    if new:
                        shutil.rmtree(self.path)

    def create(self, recipe: Recipe, domains: Iterable[Domain]) -> None:
        """From here on there is a run. Raises UserError."""
        styles = {d.name: {"color": d.color, "marker": d.marker} for d in domains}
        with self._writing():
            self.rollouts.mkdir(parents=True, exist_ok=True)
            self.metrics.touch()
            write_whole(self.domains, json.dumps(styles, indent=2) + "\n")
            self._write_first_recipe(dump_recipe(recipe))
            self.origin.write(self)

    def write_recipe(self, recipe: Recipe) -> None:
        """In place of the one before, by which the run goes on."""
        write_whole(self.recipe, dump_recipe(recipe))

    def _write_first_recipe(self, text: str) -> None:
        """Where file systems have no locks, another process may have been quicker."""
        unfinished = self.path / f".writing-recipe-{os.getpid()}"
        unfinished.write_text(text, encoding="utf-8")
        try:
            os.link(unfinished, self.recipe)
        except FileExistsError:
            self.check_free()
            raise
        except OSError:  # a file system without links
            unfinished.replace(self.recipe)
        finally:
            unfinished.unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"output_dir: cannot write to {str(self.path)!r}: {error.strerror}; make room"
                " or choose another (--set output_dir=...)"
            ) from error

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Two processes that train in one folder would spoil it. Raises UserError.

        The lock is the process' own: it ends with it, and its children do not hold it.
        """
        with self._writing():
            lock = self.lock.open("w")
        with lock as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not os.fstat(file.fileno()).st_nlink:  # its owner has removed it meanwhile
                    raise BlockingIOError
            except BlockingIOError:
                raise UserError(
                    f"{str(self.path)!r}: another process is training in it; wait for it, or stop"
                    " it first"
                ) from None
            except OSError:  # a file system without locks
                pass
            yield

    def cut_back(self, step: int, rows: int, evals: list[dict[str, Any]]) -> None:
        """Remove what a killed run wrote after the checkpoint: the resumed one writes it again."""
        self.summary.unlink(missing_ok=True)  # it is not finished
        for written, file in self.rollout_files().items():
            if written > step:
                file.unlink()
        if rows == 0:
            self.metrics.write_bytes(b"")
        self.write_evals(evals)

    def write_rollouts(self, row: Row, groups: Sequence[Group]) -> None:
        """rollouts/step-N.jsonl: one line a group, everything about its rollouts."""
        records = (_group_record(row, group) for group in groups)
        lines = (f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
        write_parts(self.rollouts_of(row["step"]), lines)  # the texts may be a gigabyte

    def write_evals(self, evals: list[dict[str, Any]]) -> None:
        write_whole(self.evals, "".join(json.dumps(e) + "\n" for e in evals))

    def save_failed_step(self, step: int, batch: TrainBatch) -> Path:
        path = self.failed_step(step)
        save_tensors(batch.state_dict(), path)
        return path

    def note_failure(self, what: str) -> bool:
        """Whether it is what the run ended with the last time, too."""
        before = self.failure.read_text(encoding="utf-8") if self.failure.exists() else ""
        with suppress(OSError):  # the failure may be a full disk
            write_whole(self.failure, what)
        return what == before

    def finish(self, learner: Learner, tokenizer: Any, summary: dict[str, Any]) -> None:
        """Write model/ and summary.json; the summary comes last and marks the run as done."""
        with replacing(self.model) as folder:
            learner.export(folder)
            tokenizer.save_pretrained(folder)
        self.failure.unlink(missing_ok=True)
        write_whole(self.summary, json.dumps(summary, indent=2) + "\n")

    @contextmanager
    def disk_errors(self) -> Iterator[None]:
        """A full disk is the user's to mend: one clear line, and the last checkpoint stays."""
        try:
            yield
        except OSError as error:
            if error.errno not in (
                errno.ENOSPC,
                errno.EDQUOT,
                errno.EFBIG,
                errno.EROFS,
                errno.EACCES,
            ):
                raise
            raise TrainingError(
                f"output_dir: cannot write to {str(self.path)!r}: {error.strerror}; make room,"
                f" then: {self.resume_command}"
            ) from error


def _group_record(row: Row, group: Group) -> dict[str, Any]:
    return {
        "step": row["step"],
        "stage": row["stage"],
        "epoch": row["epoch"],
        "problem_id": group.problem.id,
        "domain": group.problem.domain,
        "prompt": group.problem.prompt,
        "rollouts": [
            {
                "text": r.text,
                "tokens": len(r.token_ids),
                "finish_reason": str(r.finish_reason),
                "outcome": str(r.verdict.outcome) if r.verdict else None,
                "answer": r.verdict.answer if r.verdict else None,
                "detail": r.verdict.detail if r.verdict else "",
                "reward": r.reward.row() if r.reward else None,
            }
            for r in group.rollouts
        ],
    }
