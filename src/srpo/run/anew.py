"""`srpo train --from RUN`: another run that starts with the weights of one."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from srpo.files import replacing
from srpo.learner.local import LocalLearner
from srpo.models import load_tokenizer
from srpo.recipe.load import load_recipe
from srpo.recipe.schema import Recipe
from srpo.run.checkpoint import newest_whole
from srpo.run.folder import RunFolder
from srpo.run.state import LEARNER
from srpo.types import UserError


def recipe_from(run: Path, recipe: Path | None, overrides: list[str] | None) -> Recipe:
    """A recipe, by default the run's own, whose model is what the run made of it.

    Where nothing says where the new run goes, it goes beside the old one: RUN-2, RUN-3. Raises
    UserError.
    """
    folder = RunFolder(run)
    folder.check_is_run()
    found = load_recipe(recipe or folder.recipe, overrides)
    change: dict[str, object] = {"model": str(weights_of(folder).resolve())}
    if recipe is None:
        found = folder.origin.locate(found)
        if not any(text.startswith("output_dir=") for text in overrides or []):
            change["output_dir"] = _beside(run)
    return found.model_copy(update=change)


def weights_of(folder: RunFolder) -> Path:
    """The model that a finished run left, or that of the last checkpoint. Raises UserError."""
    if folder.summary.exists() and folder.model.exists():
        return folder.model
    checkpoint = newest_whole(folder.checkpoints, print)
    if checkpoint is None:
        raise UserError(f"{str(folder.path)!r} has no checkpoint yet to start from")
    model = folder.path / f"model-{checkpoint.name}"
    if not model.exists():
        recipe = folder.origin.locate(load_recipe(folder.recipe))
        tokenizer = load_tokenizer(recipe.model)
        learner = LocalLearner.open(recipe, tokenizer)
        learner.load(checkpoint / LEARNER)
        with replacing(model) as unfinished:
            learner.export(unfinished)
            tokenizer.save_pretrained(unfinished)
    return model


def _beside(run: Path) -> str:
    return next(p for n in count(2) if not Path(p := f"{run}-{n}").exists())
