"""Where and when a run began: a resumed one goes by that, not by where and when it is resumed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from srpo.files import write_whole
from srpo.run.files import RunFiles


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
        """Of a run that has begun."""
        if files.began.exists():
            plain = json.loads(files.began.read_text(encoding="utf-8"))
            return cls(Path(plain["folder"]), datetime.fromisoformat(plain["time"]))
        # One from before there was such a file: about then, and nobody knows where.
        return cls(Path.cwd(), datetime.fromtimestamp(files.recipe.stat().st_mtime))

    def write(self, files: RunFiles) -> None:
        """Beside the run's recipe."""
        plain = {"folder": str(self.folder), "time": self.began.isoformat()}
        write_whole(files.began, json.dumps(plain) + "\n")

    def resolve(self, path: str) -> str:
        """A relative path of the recipe, where it stood when the run began; others as they are."""
        there = self.folder / path
        return str(there) if not Path(path).is_absolute() and there.exists() else path
