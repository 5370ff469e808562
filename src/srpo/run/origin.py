"""Where and when a run began: a resumed one goes by that, not by where and when it is resumed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from srpo.errors import in_one_line
from srpo.files import write_whole
from srpo.models import gpu_names
from srpo.recipe.schema import Recipe
from srpo.run.files import RunFiles
from srpo.types import UserError
from srpo.versions import machine, versions


@dataclass(frozen=True)
class Origin:
    """The current folder and the time at the start of `srpo train`."""

    folder: Path
    began: datetime

    @classmethod
    def here(cls) -> Origin:
        """Of a run that begins now."""
        return cls(Path.cwd(), datetime.now())

    @classmethod
    def of(cls, files: RunFiles) -> Origin:
        """Of a run that has begun. Raises UserError for a damaged file."""
        if files.began.exists():
            try:
                plain = json.loads(files.began.read_text(encoding="utf-8"))
                return cls(Path(plain["folder"]), datetime.fromisoformat(plain["time"]))
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(
                    f"{str(files.began)!r} is damaged ({in_one_line(error, 200)}); delete it, the"
                    " run then counts as begun here, when its recipe was written"
                ) from error
        # One from before there was such a file: about then, and nobody knows where.
        return cls(Path.cwd(), datetime.fromtimestamp(files.recipe.stat().st_mtime))

    def write(self, files: RunFiles) -> None:
        """Beside the run's recipe."""
        plain: dict[str, Any] = {"folder": str(self.folder), "time": self.began.isoformat()}
        plain |= {"machine": ", ".join(filter(None, (machine(), gpu_names())))}
        plain |= {"versions": versions()}
        write_whole(files.began, json.dumps(plain) + "\n")

    def locate(self, recipe: Recipe) -> Recipe:
        """The recipe with its relative paths where they stood when the run began."""
        if self.folder == Path.cwd():
            return recipe
        data = {
            name: [s.model_copy(update={"path": self._path(s.path)}) for s in sources]
            for name, sources in (("train", recipe.data.train), ("eval", recipe.data.eval))
        }
        update = {"model": self._path(recipe.model), "data": recipe.data.model_copy(update=data)}
        return recipe.model_copy(update=update)

    def _path(self, path: str) -> str:
        """Names that are no paths, and those of a folder that has moved, stay as they are."""
        there = self.folder / path
        return str(there) if there.exists() else path
