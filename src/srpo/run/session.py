"""A run from its first moment to its last: new, or resumed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from srpo.errors import NotFiniteError, RankError, StaleWeightsError, TrainingError
from srpo.observer import Observer
from srpo.recipe.load import load_recipe
from srpo.recipe.schema import Recipe
from srpo.run.changes import check_changes
from srpo.run.checkpoint import checkpoints
from srpo.run.folder import RunFolder
from srpo.run.parts import Parts, open_parts
from srpo.run.signals import Stopped, StopSignal
from srpo.run.state import RunState, load, save
from srpo.run.trackers import open_trackers
from srpo.trainer import Trainer

LOST = 3  # ranks, one after the other, without a new checkpoint between them


@dataclass
class RunEnd:
    """How a run ended. `signal` is set when one asked for the stop."""

    finished: bool
    step: int
    reason: str
    summary: dict[str, Any] | None = None
    signal: int | None = None


def train(recipe: Recipe, observer: Observer | None = None) -> RunEnd:
    """A new run in recipe.output_dir, which must not hold one already: until the recipe is done,
    or a signal asks to stop; then everything is saved.

    Raises UserError, and then there is no run; and TrainingError, with how to go on.
    """
    folder, observer = RunFolder(Path(recipe.output_dir)), observer or Observer()
    return _lasting(folder, observer, partial(_begin, recipe, folder, observer))


def resume(
    run: Path | str, observer: Observer | None = None, overrides: list[str] | None = None
) -> RunEnd:
    """Go on with the run in `run` from its newest whole checkpoint. Ends and raises as `train`.

    What its recipe says otherwise than at that checkpoint, on disk or by `overrides`
    (`key.sub=value`), is applied and recorded, or refused by name: see `srpo.run.changes`.
    """
    folder, observer = RunFolder(Path(run)), observer or Observer()
    return _lasting(folder, observer, partial(_again, folder, observer, overrides))


def _lasting(folder: RunFolder, observer: Observer, attempt: Callable[[], RunEnd]) -> RunEnd:
    """An attempt at the run; where a learner's rank is lost, another from the newest checkpoint.
    Raises RankError when LOST of them one after the other got no further."""
    stuck = 0
    try:
        while True:
            before = checkpoints(folder.checkpoints)[-1:]
            try:
                return attempt()
            except RankError as error:
                newest = checkpoints(folder.checkpoints)[-1:]
                stuck = stuck + 1 if newest == before else 0
                if not newest or stuck == LOST:
                    raise
                observer.message(f"{error.__cause__ or error}; going on from {newest[0].name}")
                attempt = partial(_again, folder, observer, None)
    finally:
        observer.closed()


def _begin(recipe: Recipe, folder: RunFolder, observer: Observer) -> RunEnd:
    with ExitStack() as opened:
        opened.enter_context(folder.founded())
        parts = open_parts(recipe, folder, observer, opened)
        folder.create(recipe, parts.domains.values())
        return _run(parts, RunState(), opened)


def _again(folder: RunFolder, observer: Observer, overrides: list[str] | None) -> RunEnd:
    with ExitStack() as opened:
        folder.check_is_run()
        opened.enter_context(folder.claimed())
        written = load_recipe(folder.recipe, overrides)
        recipe = written.model_copy(update={"output_dir": str(folder.path)})
        changes = check_changes(folder, recipe)
        sys.path.append(str(folder.origin.folder))  # for rules of the user's own
        parts = open_parts(recipe, folder, observer, opened)
        state = load(parts)
        for change in changes:
            observer.message(f"recipe: {change}")
            state.changes.append({"after_step": state.step, **change._asdict()})
        if overrides:
            folder.write_recipe(written)
        return _run(parts, state, opened)


def _run(parts: Parts, state: RunState, opened: ExitStack) -> RunEnd:
    recipe, folder = parts.recipe, parts.folder
    with StopSignal(folder.resume_command) as stop, folder.disk_errors(), _told(folder, state):
        # A run that entered no stage has not kept even its first evaluation.
        done = state.step if state.stages else -1
        parts.metrics.trackers = open_trackers(recipe, folder, done)
        opened.callback(parts.metrics.close)
        parts.observer.started(recipe, folder.path, state.step)
        parts.freshness.check(parts.freshness.difference())
        try:
            reason = Trainer(parts, state, stop).run()
        except Stopped:
            save(parts, state)
            return RunEnd(False, state.step, "stopped by a signal", signal=stop.number)
        except StaleWeightsError:  # the engine's fault: the learner's step is sound
            save(parts, state)
            raise
        return RunEnd(True, state.step, reason, _finish(parts, state, reason))


@contextmanager
def _told(folder: RunFolder, state: RunState) -> Iterator[None]:
    """Where it happened, and how to go on: not by doing again what fails again."""
    try:
        yield
    except TrainingError as error:
        repeated = folder.note_failure(f"{type(error).__name__} at step {state.step}")
        if repeated or isinstance(error, NotFiniteError):
            advice = (
                "resumed, it would end there again; start another run from the last checkpoint's"
                f" weights with what is to be different: {folder.anew_command} --set key=value"
            )
        else:
            advice = f"go on from the last checkpoint with: {folder.resume_command}"
        raise type(error)(f"step {state.step}: {error}; {advice}") from error


def _finish(parts: Parts, state: RunState, reason: str) -> dict[str, Any]:
    """Leave the model, and then the summary."""
    summary = {
        "ended": reason,
        "steps": state.step,
        "generated_tokens": state.generated,
        "trained_tokens": state.trained,
        "seconds": round(state.seconds, 3),
        "informative_groups": parts.ledger.informative_by_epoch(),
        "stages": state.stages,
        **({"changes": state.changes} if state.changes else {}),
        "eval": parts.evaluator.results,
    }
    parts.folder.finish(parts.learner, parts.tokenizer, summary)
    return summary
