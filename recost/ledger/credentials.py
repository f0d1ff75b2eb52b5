"""The credential of a ledger: from a variable, a file or a command. It is never stored, logged or shown."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Optional

from recost._documents import read_document
from recost._files import reason_of
from recost.ledger.model import LedgerError
from recost.ledger.providers.base import Ledger

__all__ = ["Access", "access_of", "variable"]

_MAX_BYTES: Final = 64 << 10
_WITHIN_S: Final = 120.0


class Access:
    """A credential, the account that it is for, and the URL that it is sent to."""

    __slots__ = ("account", "headers", "source", "url")

    def __init__(
        self, ledger: Ledger, credential: str, source: str, account: Optional[str], url: str
    ) -> None:
        self.headers = ledger.headers(credential, account)
        self.source = source
        """The name of the variable that named it."""
        self.account = account
        self.url = url

    def __repr__(self) -> str:
        return f"<{type(self).__name__} from {self.source}>"


def variable(provider: str, name: str) -> str:
    """Return the name of recost's variable for a provider, such as ``RECOST_LEDGER_OPENAI_KEY``."""
    return f"RECOST_LEDGER_{provider.upper()}_{name}"


def access_of(provider: str, ledger: Ledger, environ: Mapping[str, str]) -> Optional[Access]:
    """Return the access that the environment names, or None if it names no credential.

    Raises:
        LedgerError: What it names cannot be used.
    """
    found = _credential(provider, ledger, environ)
    if found is None:
        return None
    credential, source = found
    names = (variable(provider, "ACCOUNT"), *ledger.account_variables)
    account = next((environ[name] for name in names if environ.get(name)), None)
    if account is None and ledger.needs_account:
        raise LedgerError(f"missing account: set {' or '.join(reversed(names))}")
    return Access(ledger, credential, source, account, environ.get(variable(provider, "URL")) or ledger.url)


def _credential(provider: str, ledger: Ledger, environ: Mapping[str, str]) -> Optional[tuple[str, str]]:
    """Return the credential and the variable that named it: recost's own first, then the vendor's."""
    readers = {"KEY": _plain, "KEY_FILE": _of_file, "KEY_COMMAND": _of_command}
    for name, read in readers.items():
        source = variable(provider, name)
        if environ.get(source):
            return _checked(read(source, environ[source]), source), source
    for source in ledger.variables:
        if environ.get(source):
            return _checked(environ[source], source), source
    return None


def _plain(_source: str, text: str) -> str:
    return text


def _of_file(source: str, path: str) -> str:
    try:
        return read_document(Path(path), _MAX_BYTES)
    except (OSError, ValueError) as error:
        raise LedgerError(f"cannot read the file that {source} names: {reason_of(error)}") from None


def _of_command(source: str, command: str) -> str:
    """Return what a command prints. It may ask on the terminal, and is not run by a shell."""
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command
            shlex.split(command), stdout=subprocess.PIPE, timeout=_WITHIN_S, check=False
        )
    except (OSError, ValueError) as error:
        raise LedgerError(f"cannot run the command of {source}: {reason_of(error)}") from None
    except subprocess.TimeoutExpired:
        raise LedgerError(f"the command of {source} did not end within {_WITHIN_S:g} s") from None
    if done.returncode:
        raise LedgerError(f"the command of {source} ended with exit code {done.returncode}")
    try:
        return done.stdout[:_MAX_BYTES].decode("utf-8")
    except UnicodeDecodeError:
        raise LedgerError(f"the command of {source} printed no UTF-8") from None


def _checked(text: str, source: str) -> str:
    credential = text.strip()
    if not credential or not credential.isascii() or not credential.isprintable() or " " in credential:
        raise LedgerError(f"invalid credential in {source}: expected one line of ASCII without spaces")
    return credential
