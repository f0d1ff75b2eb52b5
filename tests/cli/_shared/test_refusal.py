from __future__ import annotations

import errno

import pytest

from recost.cli._shared.refusal import refused


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ValueError("invalid time 'x'"), "recost: invalid time 'x'"),
        (RuntimeError("recost: two\nlines"), "recost: two lines"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x/\x1b[2J"),
            "recost: /x/?[2J: Permission denied",
        ),
        (PermissionError(errno.EACCES, "Permission denied", b"/x"), "recost: /x: Permission denied"),
        (OSError("no disk"), "recost: no disk"),
    ],
)
def test_an_error_is_one_line(error: Exception, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(error) == 2
    assert capsys.readouterr().err == f"{shown}\n"
