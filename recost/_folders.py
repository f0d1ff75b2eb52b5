"""recost's own folders, and the names of the files in them."""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING, Final, Optional

from recost._files import FOLDER_MODE, SAFE_FLAGS, UnusableFileError
from recost._patterns import LazyPattern

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_name", "fallback_folder", "is_fallback", "make_folder", "refuse_foreign_folder"]

_RESERVED: Final = LazyPattern(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE
)
"""https://learn.microsoft.com/windows/win32/fileio/naming-a-file: devices, whatever extension follows."""
_LONGEST_DEVICE: Final = 3
"""Letters of a device whose name has no digit and no ``$``."""


def make_folder(folder: Path, *, own: bool = False) -> None:
    """Make a folder and its missing parents with mode 0700.

    Args:
        folder: Its path.
        own: True for recost's own folder. If it exists, it must be this user's, and it gets mode 0700.

    Raises:
        OSError: It can't be made, or must not be used.
    """
    missing = []
    place = folder
    while not place.is_dir() and place != place.parent:
        missing.append(place)
        place = place.parent
    for new in reversed(missing):
        new.mkdir(FOLDER_MODE, exist_ok=True)
        _tighten(new)  # where the umask takes rights from the owner
    if own or is_fallback(folder):
        refuse_foreign_folder(folder, own=True)
        _tighten(folder)


def refuse_foreign_folder(folder: Path, *, own: bool = False) -> None:
    """Raise an error if a folder that recost would use belongs to another user.

    Args:
        folder: Its path. A missing folder is accepted.
        own: True for recost's own folder. If False, only the one in the temporary directory is checked.

    Raises:
        UnusableFileError: It belongs to another user.
    """
    if not hasattr(os, "geteuid") or not (own or is_fallback(folder)):
        return
    try:
        named, found = folder.lstat(), folder.stat()
    except FileNotFoundError:
        return
    planted = stat.S_ISLNK(named.st_mode) and is_fallback(folder)
    if planted or {named.st_uid, found.st_uid} != {os.geteuid()}:
        raise UnusableFileError(errno.EACCES, "the folder belongs to another user", str(folder))


def _tighten(folder: Path) -> None:
    # Not of a link that the user has made: what it leads to may be shared.
    if not hasattr(os, "O_DIRECTORY") or folder.is_symlink():
        return
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | SAFE_FLAGS)
    except PermissionError:  # the umask has taken the right to open it, too
        folder.chmod(FOLDER_MODE)
        return
    try:
        if stat.S_IMODE(os.fstat(fd).st_mode) != FOLDER_MODE:
            os.fchmod(fd, FOLDER_MODE)
    finally:
        os.close(fd)


def _fallback_name() -> str:
    return f"recost-{getattr(os, 'getuid', int)()}"


def fallback_folder() -> Path:
    """Return the folder for a user without a home: its name is predictable, so it is checked before use."""
    import tempfile  # noqa: PLC0415 - slow to import, and rarely needed
    from pathlib import Path  # noqa: PLC0415 - the same

    return Path(tempfile.gettempdir(), _fallback_name())


def is_fallback(folder: Path) -> bool:
    """Return True if a folder is the one that recost makes in the temporary directory."""
    return folder.name == _fallback_name() and folder == fallback_folder()


def check_name(name: str) -> Optional[str]:
    """Return the rule that a file name violates on some platform, or None if it is valid on all of them."""
    if name.isalpha() and len(name) > _LONGEST_DEVICE:
        return None  # can't break a rule below, and most files are called ``default``
    if re.search(r"\.\d+$", name):
        return "no '.' and digits at the end, which is how rotated files are named"
    if name != name.strip() or name.endswith("."):
        return "no space at either end and no '.' at the end, which Windows drops"
    if re.search(r'[<>:"|?*]', name):
        return 'no <>:"|?*, which Windows refuses in file names'
    if _RESERVED.fullmatch(name):
        return "not the name of a device of Windows (con, nul, com1 …)"
    return None
