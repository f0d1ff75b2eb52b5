"""The collector's own folder within that of the files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from recost import _files, _folders
from recost.errors import RecostError

__all__ = ["STATE_FOLDER", "FolderError", "make_state_folder"]

STATE_FOLDER: Final = ".collector"
"""Its name, which commands ignore."""


class FolderError(RecostError):
    """A folder that the collector cannot use."""


def make_state_folder(folder: Path) -> Path:
    """Make the folder of the files and the collector's own within it, and return the latter.

    Raises:
        FolderError: They cannot be made.
    """
    state = folder / STATE_FOLDER
    try:
        _folders.make_folder(folder)
        _folders.make_folder(state, own=True)
    except OSError as error:
        raise FolderError(f"recost: cannot use {state}: {_files.reason_of(error)}") from None
    return state
