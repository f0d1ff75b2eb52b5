"""``recost keys label``: the entry of a key that is read from stdin, and is shown nowhere."""

from __future__ import annotations

import ast
import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from hashlib import sha256

import pytest

from recost.config import resolve
from tests.scripts import environment

KEY = "sk-proj-Jw81Kd03"
HASH = f"sha256:{sha256(KEY.encode()).hexdigest()}"
COMMAND = [sys.executable, "-m", "recost", "keys", "label"]


def label(data: bytes, name: str = "alice") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, name], input=data, env=environment(), capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize("data", [KEY, f"{KEY}\n", f" \t{KEY}\r\n\n"])
@pytest.mark.parametrize("name", ["alice", 'Zoë "Z" 😀'])
def test_the_entry_is_python_and_json_and_a_setting(data: str, name: str) -> None:
    done = label(data.encode(), name)
    assert (done.returncode, done.stderr) == (0, b"")
    text = f"{{{done.stdout.decode()}}}"
    assert json.loads(text) == ast.literal_eval(text) == {HASH: name}
    assert resolve(None, {}, {"RECOST_KEY_LABELS": text}).key_labels == {HASH: name}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no key on stdin"),
        (b" \n\n", "no key on stdin"),
        (f"Bearer {KEY}".encode(), "2 words on stdin: expected one key"),
        (f"{KEY}\n{KEY}\n".encode(), "2 words on stdin: expected one key"),
        (KEY.encode() * 300, "too long a key on stdin: expected at most 4096 bytes"),
        (KEY.encode() * 65_536, "too long a key on stdin: expected at most 4096 bytes"),
        (b" " * (1 << 20) + KEY.encode(), "no key on stdin"),
    ],
    ids=["nothing", "blank", "two words", "two lines", "long", "very long", "behind a megabyte of blanks"],
)
def test_anything_but_one_key_is_refused_unquoted(data: bytes, problem: str) -> None:
    done = label(data)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"recost: {problem}")
    assert KEY.encode() not in done.stderr


def test_an_endless_input_is_not_read_to_its_end() -> None:
    script = f"yes {KEY} | {sys.executable} -m recost keys label alice"
    done = subprocess.run(
        ["sh", "-c", script], env=environment(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert KEY.encode() not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["", " ", "a" * 101])
def test_an_invalid_label_is_refused_before_the_key_is_read(name: str) -> None:
    done = subprocess.run(
        [*COMMAND, name],
        stdin=subprocess.DEVNULL,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"tag 'key'" in done.stderr


def test_no_stdin_and_no_command_are_wrong_usage() -> None:
    closed = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m recost keys label alice <&-"],
        env=environment(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (closed.returncode, closed.stderr) == (2, b"recost: stdin is closed: expected a key\n")
    missing = subprocess.run(COMMAND[:-1], env=environment(), capture_output=True, timeout=60, check=False)
    assert (missing.returncode, missing.stderr) == (2, b"recost: missing command: expected label\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminal")
@pytest.mark.parametrize(("typed", "code"), [(f" {KEY}\n", 0), ("\x04", 2), ("\n", 2)])
def test_a_terminal_shows_no_key(typed: str, code: int) -> None:
    child, terminal = pty.fork()
    if child == 0:
        with suppress(OSError):
            os.execve(sys.executable, [*COMMAND, "alice"], environment())
        os._exit(99)
    seen = b""
    with suppress(OSError):  # Linux: the other end is closed
        while b"(not shown)" not in seen:
            seen += os.read(terminal, 1024)
        os.write(terminal, typed.encode())
        while piece := os.read(terminal, 1024):
            seen += piece
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == code, seen
    assert KEY.encode() not in seen
    assert (HASH.encode() in seen) is (code == 0)
