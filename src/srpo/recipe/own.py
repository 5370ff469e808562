"""What a recipe names by `package.module:name`: code of the user's own."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from srpo.types import UserError


def load_own(name: str, field: str) -> Any:
    """What `package.module:name` stands for.

    The module may be installed, on PYTHONPATH, or below the current folder.

    Args:
        name: as the recipe has it.
        field: where the recipe has it, for the error.

    Raises:
        UserError: there is no such module, it does not import, or it has no such name.
    """
    module, _, attribute = name.partition(":")
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)  # last: nothing that is installed is hidden by a file of the user's
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever code of the user's own may raise
        raise UserError(
            f"{field}: {name!r} cannot be loaded: {type(error).__name__}: {error}; the module has"
            " to be installed, on PYTHONPATH, or below the current folder"
        ) from error
