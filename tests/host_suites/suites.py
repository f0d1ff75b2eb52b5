"""Which suites there are, what each needs, and which of its tests are left out in every run, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["QUICKEST", "SUITES", "Suite"]


@dataclass(frozen=True)
class Suite:
    """One published test suite.

    In ``requires`` and ``options``, ``{version}`` is the version and ``{sdist}`` the folder of its sources.
    """

    name: str
    """On the index, and in the table."""
    requires: tuple[str, ...] = ()
    """Arguments of ``pip install``: the client itself, and what its tests need."""
    options: tuple[str, ...] = ("tests",)
    """Arguments of pytest, run in the folder of the sources."""
    has_tests: bool = True
    """False where the source distribution carries none."""
    authority: str = ""
    """Among the installed packages: the certificates that requests is to trust."""


SUITES: Final = (
    Suite(
        "httpx",
        (
            "httpx[brotli,cli,http2,socks,zstd]=={version}",
            # Its sources name no requirements for the tests; these are what they import, of that time.
            *("chardet<6", "click<8.5", "cryptography", "pytest>=8,<9", "trio", "trustme", "uvicorn"),
        ),
        ("tests", "-m", "not network"),
    ),
    Suite("httpx2", has_tests=False),
    Suite(
        "urllib3",
        (
            "urllib3[brotli,h2,socks,zstd]=={version}",
            *("--group", "{sdist}/pyproject.toml:test"),
            *("cryptography", "idna", "pyopenssl", "trustme"),
        ),
        # Needs an address on the internet that never answers; without one, it is for threads to decide.
        ("test", "-k", "not test_http2_probe_blocked_per_thread"),
    ),
    Suite(
        "requests",
        ("requests[socks]=={version}", "--group", "{sdist}/pyproject.toml:test"),
        # The same address.
        ("tests", "-k", "not test_connect_timeout and not test_total_timeout_connect"),
    ),
    Suite(
        "aiohttp",
        (
            "aiohttp[speedups]=={version}",
            *("-r", "{sdist}/requirements/test-common.in"),
            *("gunicorn", "uvloop; sys_platform != 'win32'"),
        ),
        # The marks are those that its own settings leave out; benchmarks test nothing.
        ("tests", "-m", "not dev_mode and not autobahn and not internal", "--ignore-glob=*benchmarks*"),
    ),
    Suite("respx", has_tests=False),
    Suite("pytest-httpx", ("pytest-httpx[testing]=={version}",)),
    Suite(
        "responses",
        ("responses[tests]=={version}",),
        ("responses/tests", "--asyncio-mode=auto"),
    ),
    Suite(
        "aioresponses",
        # It makes ClientResponse itself, in a way that aiohttp 3.14 refuses; its tox.ini ends at 3.13.
        ("aioresponses=={version}", "aiohttp<3.14", "-r", "{sdist}/requirements-dev.txt"),
        # These call a public service.
        (
            "tests",
            "-k",
            "not pass_through_with and not combined_with_pass_through and not pass_through_unmatched",
        ),
    ),
    Suite(
        "vcrpy",
        ("vcrpy[tests]=={version}",),
        ("tests", "-m", "not online"),
        authority="pytest_httpbin/certs/client.pem",  # as its own runtests.sh has it
    ),
)

QUICKEST: Final = ("httpx", "responses", "aioresponses")
