"""Budgets of a running SDK, against a real server whose log is the truth of what was sent."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import recost
from recost import Budget, ProviderDef, RecostBudgetExceededError, RecostHandle
from recost.interceptors import interception
from recost.lifecycle.worker import Worker
from tests.loopback import Loopback, wait_until
from tests.scripts import calls, environment, run_script, windows

pytestmark = pytest.mark.usefixtures("one_day")
RULE = ProviderDef("127.0.0.1", "acme", endpoint_category="all", cost_per_request_cents=10)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Any]:
    handles: list[RecostHandle] = []
    errors: list[Exception] = []

    def init(*budgets: Budget, **options: Any) -> RecostHandle:
        given = {"custom_providers": [RULE], "local_dir": tmp_path, "on_error": errors.append, **options}
        handles.append(recost.init(budgets=list(budgets), **given))
        return handles[-1]

    yield init
    for handle in handles:
        handle.dispose()
    assert errors == []


def raising(limit: Any = 1, **options: Any) -> Budget:
    return Budget(limit, on_exceed="raise", **options)


def use_urllib(url: str) -> None:
    with urllib.request.urlopen(url) as response:
        response.read()


def use_requests(url: str) -> None:
    import requests

    requests.get(url, timeout=10)


def use_urllib3(url: str) -> None:
    import urllib3

    with urllib3.PoolManager() as pool:
        pool.request("GET", url)


def use_httpx(url: str) -> None:
    import httpx

    httpx.get(url, verify=False)  # the context is slow to make, and not needed


def use_httpx2(url: str) -> None:
    httpx2 = pytest.importorskip("httpx2")
    httpx2.get(url, verify=False)


def use_aiohttp(url: str) -> None:
    import aiohttp

    async def get() -> None:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            await response.read()

    asyncio.run(get())


@pytest.mark.parametrize("use", [use_urllib, use_requests, use_urllib3, use_httpx, use_httpx2, use_aiohttp])
def test_the_cut_off_is_exact_and_what_is_refused_is_not_recorded(
    use: Any, server: Loopback, running: Any, tmp_path: Path
) -> None:
    handle = running(raising())
    with recost.track() as spend:
        for _ in range(10):
            use(server.url + "/plain")
        for _ in range(3):
            with pytest.raises(
                RecostBudgetExceededError, match=r"'per day' is used up \(\$1\.0 of \$1 spent"
            ):
                use(server.url + "/plain")
    assert spend.calls == len(server.log) == 10
    handle.dispose()
    assert calls(windows(tmp_path)) == {"all": 10}
    use(server.url + "/plain")


def test_twenty_threads_exceed_it_by_the_calls_under_way_at_most(server: Loopback, running: Any) -> None:
    running(raising(limit=5))
    start, refusals = threading.Barrier(20), []

    def work() -> None:
        start.wait()
        try:
            while True:
                use_urllib(server.url + "/plain")
        except RecostBudgetExceededError as error:
            refusals.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refusals) == 20
    assert 50 <= len(server.log) <= 69
    with pytest.raises(RecostBudgetExceededError) as caught:
        use_urllib(server.url + "/plain")
    assert caught.value.spent_usd == Decimal("0.1") * len(server.log)


@pytest.mark.parametrize("client", ["httpx", "aiohttp"])
async def test_tasks_exceed_it_by_the_calls_under_way_at_most(
    client: str, server: Loopback, running: Any
) -> None:
    import aiohttp
    import httpx

    running(raising(limit=3))
    async with httpx.AsyncClient(verify=False) as async_client, aiohttp.ClientSession() as session:

        async def get() -> None:
            if client == "httpx":
                await async_client.get(server.url + "/plain")
            else:
                async with session.get(server.url + "/plain") as response:
                    await response.read()

        async def work() -> None:
            with suppress(RecostBudgetExceededError):
                while True:
                    await get()

        await asyncio.gather(*[work() for _ in range(8)])
        assert 30 <= len(server.log) <= 37
        with pytest.raises(RecostBudgetExceededError) as caught:
            await get()
    assert caught.value.spent_usd == Decimal("0.1") * len(server.log)


def test_a_stream_counts_when_it_ends(server: Loopback, running: Any) -> None:
    import httpx

    running(raising(limit="0.1"))
    with httpx.stream("GET", server.url + "/sse", verify=False) as response:
        use_urllib(server.url + "/plain")
        with pytest.raises(RecostBudgetExceededError):
            use_urllib(server.url + "/plain")
        response.read()
    assert len(server.log) == 2


def test_what_answers_report_counts(server: Loopback, running: Any, tmp_path: Path) -> None:
    """A failed call costs nothing."""
    running(raising())
    for _ in range(15):
        with pytest.raises(urllib.error.HTTPError) as caught:
            use_urllib(server.url + "/status/503")
        caught.value.close()
    for _ in range(10):
        use_urllib(server.url + "/plain")
    with pytest.raises(RecostBudgetExceededError):
        use_urllib(server.url + "/plain")


def test_tags_and_excluded_hosts(server: Loopback, running: Any) -> None:
    running(raising(limit="0.2", tags={"tenant": "a"}), exclude_hosts=["localhost"])
    with recost.tag(tenant="a"):
        use_urllib(server.url + "/plain")
        use_urllib(server.url + "/plain")
        with pytest.raises(RecostBudgetExceededError, match="tenant=a per day"):
            use_urllib(server.url + "/plain")
        use_urllib(server.url.replace("127.0.0.1", "localhost") + "/plain")
    with recost.tag(tenant="b"):
        use_urllib(server.url + "/plain")
    assert len(server.log) == 4


@pytest.mark.parametrize("use", [use_urllib, use_urllib3, use_httpx, use_aiohttp])
def test_calls_that_an_exhausted_budget_does_not_cover_keep_their_cost(
    use: Callable[[str], None], server: Loopback, running: Any, tmp_path: Path
) -> None:
    handle = running(raising(limit="0.1", tags={"tenant": "a"}), raising(limit="0.5", name="all"))
    with recost.tag(tenant="a"):
        use(server.url + "/plain")
    for _ in range(4):
        use(server.url + "/plain")
    with pytest.raises(RecostBudgetExceededError, match="all"):
        use(server.url + "/plain")
    handle.dispose()
    (cost,) = {sum(m["estimatedCostCents"] for w in windows(tmp_path) for m in w["metrics"])}
    assert cost == 50


def test_callbacks_run_on_a_thread_of_recosts_and_may_make_calls(server: Loopback, running: Any) -> None:
    told: list[Any] = []

    def tell(budget: Budget, spent: Decimal, fraction: float) -> None:
        use_urllib(server.url + "/told")
        told.append((threading.current_thread().name, spent, fraction))

    running(Budget("0.4", callback=tell, fractions=(0.5, 1)))
    for _ in range(2):
        use_urllib(server.url + "/plain")
    assert wait_until(lambda: len(told) == 1)
    use_urllib(server.url + "/plain")
    assert wait_until(lambda: len(told) == 2)
    assert {name for name, _, _ in told} == {"recost-notifier"}
    assert [fraction for _, _, fraction in told] == [0.5, 1.0]
    assert len(server.log) == 5


def test_the_last_callbacks_are_called_at_the_end(server: Loopback, running: Any) -> None:
    told: list[float] = []
    handle = running(Budget("0.1", callback=lambda budget, spent, fraction: told.append(fraction)))
    use_urllib(server.url + "/plain")
    handle.dispose()
    assert told == [0.5, 0.8, 1.0]


def test_a_callback_that_hangs_holds_up_neither_calls_nor_the_counting(
    server: Loopback, running: Any, tmp_path: Path
) -> None:
    release = threading.Event()
    handle = running(Budget("0.1", callback=lambda *notice: release.wait(30)), shutdown_flush_timeout_ms=500)
    for _ in range(20):
        use_urllib(server.url + "/plain")
    assert handle.flush_blocking(10)
    assert calls(windows(tmp_path)) == {"all": 20}
    kept = json.loads((tmp_path / "default.budgets.json").read_text())
    assert kept["budgets"]["per day"]["spent_usd"] == "2.0"
    handle.dispose()
    release.set()
    assert wait_until(lambda: "recost-budgets" not in {thread.name for thread in threading.enumerate()})


def test_nothing_is_there_without_a_budget(running: Any, tmp_path: Path) -> None:
    running()
    assert interception.gate is None
    assert interception.sink.__func__ is Worker.record  # type: ignore[union-attr]
    code = """
import sys, recost
recost.init(local_dir=sys.argv[1])
print(sorted(sys.modules.keys() & {"recost.budgets.enforcer", "recost.budgets.retries", "zoneinfo"}))
"""
    assert run_script(code, tmp_path).stdout == "[]\n"


PRELUDE = """
import os, sys, urllib.request
import recost

url, folder = sys.argv[1], sys.argv[2]
rule = recost.ProviderDef("127.0.0.1", "acme", endpoint_category="all", cost_per_request_cents=10)

def init(*budgets, **options):
    return recost.init(custom_providers=[rule], local_dir=folder, budgets=budgets, **options)

def call():
    with urllib.request.urlopen(url + "/plain") as response:
        response.read()

def until_refused(most=1000):
    for number in range(most):
        try:
            call()
        except recost.RecostBudgetExceededError:
            return number
    return most
"""


def test_a_restart_goes_on_where_the_process_ended(server: Loopback, tmp_path: Path) -> None:
    code = PRELUDE + "init(recost.Budget(1, on_exceed='raise'))\nprint(until_refused(int(sys.argv[3])))"
    for most, made in ((4, "4\n"), (100, "6\n"), (100, "0\n")):
        result = run_script(code, server.url, tmp_path, most)
        assert (result.returncode, result.stderr, result.stdout) == (0, "", made)
    assert len(server.log) == 10


def test_a_process_that_is_killed_has_kept_what_it_spent_a_moment_ago(
    server: Loopback, tmp_path: Path
) -> None:
    code = PRELUDE + (
        "init(recost.Budget(1, on_exceed='raise'))\n"
        "until_refused(4)\nprint('spent', flush=True)\nsys.stdin.readline()"
    )
    command = [sys.executable, "-c", code, server.url, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        file = tmp_path / "default.budgets.json"
        assert process.stdout is not None
        process.stdout.readline()
        assert wait_until(lambda: file.exists() and '"0.4"' in file.read_text())
        process.kill()
    code = PRELUDE + "init(recost.Budget(1, on_exceed='raise'))\nprint(until_refused())"
    assert run_script(code, server.url, tmp_path).stdout == "6\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_forked_child_shares_what_its_parent_spends(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        PRELUDE
        + """
init(recost.Budget(1, on_exceed="raise"))
until_refused(3)
pid = os.fork()
if pid == 0:
    print("child", until_refused(), flush=True)
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
print("parent", until_refused())
""",
        server.url,
        tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "child 7\nparent 0\n"
    assert len(server.log) == 10
    assert calls(windows(tmp_path)) == {"all": 10}


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_forked_children_share_a_file(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        PRELUDE
        + """
handle = init(recost.Budget(2, on_exceed="raise", file=folder + "/shared.json"))
until_refused(3)
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        until_refused(4)
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0
until_refused(2)
""",
        server.url,
        tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, "")
    kept = json.loads((tmp_path / "shared.json").read_text())
    assert kept["budgets"]["per day"]["spent_usd"] == "1.7"
    assert len(server.log) == 17


def test_two_processes_that_share_a_file(server: Loopback, tmp_path: Path) -> None:
    code = PRELUDE + (
        "import recost.budgets.live_sums\n"
        "recost.budgets.live_sums._WITHIN_S = 30.0  # a busy machine may hold up whoever has the file\n"
        "def tell(budget, spent, fraction): print(fraction, flush=True)\n"
        "handle = init(recost.Budget(4, on_exceed='raise', callback=tell, file=folder + '/shared.json'))\n"
        "until_refused()\nhandle.dispose()"
    )
    command = [sys.executable, "-c", code, server.url, str(tmp_path)]
    processes = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )
        for _ in range(2)
    ]
    told = []
    for process in processes:
        output, problems = process.communicate(timeout=60)
        assert (process.returncode, problems) == (0, "")
        told += output.split()
    kept = json.loads((tmp_path / "shared.json").read_text())
    assert 40 <= len(server.log) <= 41  # and the call of the other process that is under way
    assert Decimal(kept["budgets"]["per day"]["spent_usd"]) == Decimal("0.1") * len(server.log)
    assert sorted(told) == ["0.5", "0.8", "1.0"]
    result = run_script(code, server.url, tmp_path)
    assert (result.stdout, result.stderr) == ("", "")


def test_a_file_that_is_not_shared_is_not_written_with_an_api_key(
    server: Loopback, running: Any, tmp_path: Path
) -> None:
    handle = running(
        raising(file=tmp_path / "mine.json"),
        raising(name="kept nowhere"),
        api_key="rc-x",
        project_id="shop",
        base_url=server.url,
        on_error=lambda error: None,  # the server is not the API
    )
    use_urllib(server.url + "/plain")
    handle.flush_blocking(5)
    assert wait_until((tmp_path / "mine.json").exists)
    handle.dispose()
    assert {each.suffix for each in tmp_path.glob("shop*")} <= {".spool", ".pace"}


async def test_calls_within_the_process_are_not_refused(server: Loopback, running: Any) -> None:
    import httpx

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    running(raising(limit="0.1", unpriced=1))
    use_urllib(server.url + "/plain")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        assert (await client.get("http://testserver/")).text == "ok"
