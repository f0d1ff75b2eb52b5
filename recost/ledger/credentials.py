"""The credential of a ledger: from a variable, a file or a command. It is never stored, logged or shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from recost import _secrets
from recost.ledger.model import LedgerError
from recost.ledger.providers.base import Ledger

__all__ = ["Access", "access_of", "variable"]


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
    readers = {
        "KEY": lambda _, text: text,
        "KEY_FILE": _secrets.from_file,
        "KEY_COMMAND": _secrets.from_command,
    }
    try:
        for name, read in readers.items():
            source = variable(provider, name)
            if environ.get(source):
                return _secrets.one_line(read(source, environ[source]), source), source
        for source in ledger.variables:
            if environ.get(source):
                return _secrets.one_line(environ[source], source), source
    except _secrets.SecretError as error:
        raise LedgerError(str(error)) from None
    return None
