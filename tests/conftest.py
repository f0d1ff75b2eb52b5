"""What every test may ask for."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import certifi
import hypothesis
import pytest

from recost.events import RawEvent
from recost.interceptors import install, interception, uninstall
from recost.interceptors.exchange import unfinished
from tests.loopback import Loopback, loopback, wait_until

# How long an example takes says more about what else the machine does.
hypothesis.settings.register_profile(
    "recost", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("recost")

# The threads of numpy's library wait for each other busily: where others run, that is most of their work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Any:
    """Have a worker that has nothing left take tests from the others: some tests are minutes long."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling  # type: ignore[import-untyped]

    return WorkStealingScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _one_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let httpx trust one root instead of all: each of its clients parses every one, here for nothing."""
    all_of_them, end = certifi.where, "-----END CERTIFICATE-----\n"
    one = tmp_path_factory.mktemp("roots") / "one.pem"
    one.write_text(Path(all_of_them()).read_text(encoding="utf-8").partition(end)[0] + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(certifi, "where", lambda: str(one))
        yield


@pytest.fixture(scope="session", autouse=True)
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder for home folders. Caches of downloads stay where they are."""
    home = Path.home()
    with pytest.MonkeyPatch.context() as patched:
        for name, folder in (("XDG_CACHE_HOME", home / ".cache"), ("PYENV_ROOT", home / ".pyenv")):
            if name not in os.environ and folder.is_dir():
                patched.setenv(name, str(folder))
        yield tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def _home(_homes: Path) -> Iterator[None]:
    """Give each test a home folder of its own, where nothing waits of an earlier one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HOME", str(_homes / str(next(_numbers))))
        yield


_numbers: Final = itertools.count()

# In the background of a shell it is ignored, and every process that a test starts would ignore it, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Under nohup, this one; what has a handler here is not ignored there, and nothing ends the tests themselves.
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(scope="session")
def _loopback_server() -> Iterator[Loopback]:
    with loopback() as server:
        yield server


@pytest.fixture
def server(_loopback_server: Loopback) -> Loopback:
    """The loopback server, with an empty log; what earlier tests have sent and not waited for has come."""
    wait_until(_loopback_server.settled)
    _loopback_server.log.clear()
    _loopback_server.release.clear()
    return _loopback_server


@pytest.fixture
def one_day() -> None:
    """The day, as UTC has it, does not end before the test does."""
    left_s = 86_400 - time.time() % 86_400
    if left_s < 20:
        time.sleep(left_s)


@pytest.fixture
def events() -> Iterator[list[RawEvent]]:
    """Every call that is recorded while the test runs; none is under way yet."""
    unfinished.clear()  # what an earlier test has left open
    recorded: list[RawEvent] = []
    install(recorded.append)
    assert not interception.broken
    yield recorded
    uninstall()
