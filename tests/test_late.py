"""What `init` doesn't need is imported later: where, by whom, and what a fork and a fault do to it."""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.loopback import Loopback
from tests.scripts import calls, complaints, environment, run_script, windows

_OWN = "sorted(name for name in sys.modules if name.startswith('recost'))"
_RULES = {"recost.pricing.providers", "recost.pricing.providers.openai"}
_PATHS = {"recost.endpoints.templating", "recost.endpoints.vocabulary", "recost.endpoints.models"}
_SUMS = {"recost.pipeline", "recost.metering", "recost.pricing.route", "recost.aggregation.window"}
_SELDOM = {"recost.budgets.model", "recost.lifecycle.sigterm", "recost.skimming", "recost.decompression"}


def modules(code: str) -> set[str]:
    """Return recost's modules that are there after a program."""
    done = run_script(f"import sys\n{code}\nprint(*{_OWN})")
    assert (done.returncode, complaints(done)) == (0, [])
    return set(done.stdout.split())


def test_import_recost_imports_nothing_but_its_names() -> None:
    assert modules("import recost") == {"recost", "recost._version"}


_BARE = {"recost", "recost._version", "__future__"}
_NOT_BY_INIT_TEXT = """
    _ast _decimal array ast asyncio bisect bz2 calendar concurrent.futures csv dataclasses datetime
    decimal difflib dis email email.message fnmatch hashlib hmac http http.client importlib.metadata
    importlib.util inspect ipaddress json linecache locale logging lzma multiprocessing numbers opcode
    pathlib pickle platform queue random secrets select selectors shutil signal socket sqlite3 ssl
    statistics string struct subprocess tempfile textwrap tokenize traceback unittest urllib urllib.error
    urllib.parse urllib.request uuid wrapt zlib
    recost.aggregation recost.budgets recost.events recost.pricing recost.wire
"""
_NOT_BY_INIT = set(_NOT_BY_INIT_TEXT.split())


def imported_by(before: str, code: str) -> set[str]:
    """Return all modules that a program imports after ``before``."""
    done = run_script(
        f"import sys\n{before}\nknown = set(sys.modules)\n{code}\nprint(*sorted({{*sys.modules}} - known))"
    )
    assert (done.returncode, complaints(done)) == (0, [])
    return set(done.stdout.split())


def test_import_recost_imports_no_part_of_the_standard_library() -> None:
    assert imported_by("", "import recost") <= _BARE


@pytest.mark.parametrize("before", ["", "import httpx", "import requests"])
def test_init_imports_few_modules(before: str) -> None:
    found = imported_by(f"{before}\nimport recost", "recost.init(local_dir='/nonexistent/never-written')")
    assert not found & _NOT_BY_INIT, found & _NOT_BY_INIT
    assert len(found) <= 87, sorted(found)


def test_init_imports_no_sums_where_the_cloud_is_the_destination() -> None:
    found = imported_by("import recost", "recost.init(api_key='rc-test-key', project_id='p')")
    assert not found & _SUMS


def test_init_makes_no_dataclass() -> None:
    done = run_script(
        """
        import contextlib, contextvars, copy, sys, threading, typing

        def hook(event, arguments):
            if event == "compile" and arguments[1] == "<string>" and "def " in str(arguments[0]):
                texts.append(arguments)

        import recost
        texts = []
        sys.addaudithook(hook)
        recost.init(local_dir="/nonexistent/never-written")
        assert not texts, texts
        """
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_first_call_is_not_much_dearer_than_the_second(server: Loopback, tmp_path: Path) -> None:
    done = run_script(
        """
        import sys, urllib.request
        import recost

        def call():
            urllib.request.urlopen(sys.argv[1] + "/plain").read()

        def count():
            events = []
            sys.setprofile(lambda frame, event, argument: events.append(event))
            call()
            sys.setprofile(None)
            return events.count("call")

        call()
        recost.init(local_dir=sys.argv[2])
        first, second = count(), count()
        assert first <= second + 60, (first, second)
        print(first - second)
        """,
        server.url,
        tmp_path,
    )
    assert (done.returncode, complaints(done)) == (0, []), done.stdout
    assert calls(windows(tmp_path)) == {"/plain": 2}


def test_calls_are_kept_while_the_pipeline_can_not_be_imported(server: Loopback, tmp_path: Path) -> None:
    done = run_script(
        """
        import sys, urllib.request
        import recost
        told = []
        handle = recost.init(local_dir=sys.argv[2], on_error=told.append)
        sys.modules["recost.pipeline"] = None
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        handle.flush_blocking(20)
        del sys.modules["recost.pipeline"]
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        handle.dispose()
        print(*told)
        """,
        server.url,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "ModuleNotFoundError" in done.stdout
    assert calls(windows(tmp_path)) == {"/plain": 2}


def test_the_hints_of_public_functions_can_be_resolved() -> None:
    done = run_script(
        """
        import recost, typing
        for function in (recost.init, recost.install, recost.RecostHandle.flush_blocking):
            assert typing.get_type_hints(function)
        hints = typing.get_type_hints(recost.RecostHandle.last_flush_status.fget)
        assert hints["return"] == typing.Optional[recost.FlushStatus]
        """
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_init_imports_neither_rules_nor_words() -> None:
    there = modules("import recost; recost.init(local_dir='/nonexistent/never-written')")
    assert "recost.lifecycle.worker" in there
    assert not there & (_RULES | _PATHS | _SELDOM | _SUMS)


def test_init_imports_what_a_call_would_wait_for() -> None:
    there = modules("import recost; recost.init(local_dir='/nonexistent/x', capture_usage=True)")
    assert there > _RULES
    assert there > _SUMS
    assert not there & (_PATHS | _SELDOM)
    budgets = "[recost.Budget(1, on_exceed='raise')]"
    code = f"import recost; recost.init(local_dir='/nonexistent/x', budgets={budgets})"
    assert modules(code) > _RULES | {"recost.endpoints.templating", "recost.budgets.model"}


def test_init_imports_everything_where_threads_are_greenlets() -> None:
    """An import on one of them halts all the others."""
    patched = "import time; real = time.sleep; time.sleep = lambda s: real(s)"
    assert modules(f"{patched}\nimport recost; recost.init(local_dir='/nonexistent/x')") > _SUMS


@pytest.mark.parametrize("capture_usage", [False, True])
def test_a_call_imports_nothing_on_its_own_thread(
    capture_usage: bool, server: Loopback, tmp_path: Path
) -> None:
    done = run_script(
        """
        import sys, threading, urllib.request
        import recost

        class Notes:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if threading.current_thread() is threading.main_thread():
                    found.append(name)

        found = []
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        handle = recost.init(local_dir=sys.argv[2], capture_usage=sys.argv[3] == "True")
        sys.meta_path.insert(0, Notes)
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        sys.meta_path.remove(Notes)
        assert handle.flush_blocking(20)
        print([name for name in found if name.startswith("recost")])
        """,
        server.url,
        tmp_path,
        capture_usage,
    )
    assert (done.returncode, complaints(done), done.stdout) == (0, [], "[]\n")
    assert calls(windows(tmp_path)) == {"/plain": 1}


def test_what_is_imported_late_runs_no_text_of_code() -> None:
    """Else Ctrl-C before the last flush would end the process with 1, and not by SIGINT."""
    done = run_script(
        """
        import sys
        import recost, recost.pipeline, recost.pricing.route
        recost.init(local_dir="/nonexistent/never-written")

        def hook(event, arguments):
            if event == "compile" and not str(arguments[1]).endswith(".py"):
                texts.append(arguments)

        texts = []
        sys.addaudithook(hook)
        before = set(sys.modules)
        import recost.endpoints.templating
        recost.metering._model_name()
        recost.ProviderRegistry().prepare()
        assert {"recost.endpoints.vocabulary", "recost.pricing.providers"} <= set(sys.modules) - before
        assert not texts, texts
        """
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_no_fork_comes_in_the_midst_of_a_late_import(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time; began.set(); time.sleep(0.3); whole = True")
    done = run_script(
        """
        import builtins, os, threading, warnings
        from recost._late import importing

        warnings.simplefilter("ignore")  # of a fork while there is a thread
        builtins.began = threading.Event()

        def load():
            with importing():
                import slow

        thread = threading.Thread(target=load)
        thread.start()
        began.wait()
        child = os.fork()
        if not child:
            with importing():  # held by nobody here
                import slow
            os._exit(7 if slow.whole else 1)
        thread.join()
        with importing():
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
        env=environment(PYTHONPATH=f"{Path(__file__).parents[1]}{os.pathsep}{tmp_path}"),
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "7\n")


def test_a_late_import_that_fails_is_told_and_the_call_counts(server: Loopback, tmp_path: Path) -> None:
    done = run_script(
        """
        import sys, urllib.request
        import recost
        told = []
        handle = recost.init(local_dir=sys.argv[2], on_error=told.append)
        sys.modules["recost.endpoints.templating"] = None
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        assert handle.flush_blocking(20)
        handle.dispose()
        print(*told)
        """,
        server.url,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "ModuleNotFoundError at pricing/route.py" in done.stdout
    assert done.stdout.count("\n") == 1
    assert calls(windows(tmp_path)) == {"/": 1}


def test_the_first_window_begins_with_init_though_the_pipeline_comes_later(
    server: Loopback, tmp_path: Path
) -> None:
    done = run_script(
        """
        import sys, time, urllib.request
        import recost
        handle = recost.init(local_dir=sys.argv[2])
        print(time.time())
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        time.sleep(1)
        assert handle.flush_blocking(20)
        """,
        server.url,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    (window,) = windows(tmp_path)
    began = datetime.fromisoformat(window["windowStart"].replace("Z", "+00:00")).timestamp()
    assert began <= float(done.stdout) + 0.001


def test_what_cannot_be_imported_yet_is_tried_again_and_nothing_is_lost(
    server: Loopback, tmp_path: Path
) -> None:
    done = run_script(
        """
        import sys, time, urllib.request
        import recost
        told = []
        handle = recost.init(local_dir=sys.argv[2], on_error=told.append, flush_interval_ms=1000)
        sys.modules["recost.lifecycle.rules"] = None
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        began = time.process_time()
        time.sleep(3)
        assert time.process_time() - began < 1
        assert 1 <= len(told) <= 10, len(told)
        assert not handle.flush_blocking(5)
        del sys.modules["recost.lifecycle.rules"]
        assert handle.flush_blocking(20)
        """,
        server.url,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert calls(windows(tmp_path)) == {"/plain": 1}


def test_calls_that_can_never_be_added_up_are_reported(server: Loopback, tmp_path: Path) -> None:
    done = run_script(
        """
        import sys, urllib.request
        import recost
        told = []
        handle = recost.init(local_dir=sys.argv[2], on_error=told.append)
        sys.modules["recost.lifecycle.rules"] = None
        for _ in range(3):
            urllib.request.urlopen(sys.argv[1] + "/plain").read()
        handle.dispose()
        for error in told:
            print(error)
        """,
        server.url,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "recost: 3 calls could not be added up: not recorded" in done.stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="the working directory can't be removed")
def test_init_needs_no_working_directory(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    done = run_script(
        """
        import os, sys
        os.chdir(sys.argv[1])
        os.rmdir(sys.argv[1])
        import recost
        recost.init(local_dir=sys.argv[2]).dispose()
        recost.init().dispose()
        """,
        tmp_path / "gone",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="ends by a signal")
def test_ctrl_c_while_a_thread_goes_on_keeps_its_exit_code(server: Loopback, tmp_path: Path) -> None:
    done = run_script(
        """
        import os, signal, sys, threading, time, urllib.request
        import recost
        recost.init(local_dir=sys.argv[2])
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        threading.Thread(target=time.sleep, args=(3,)).start()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(3)
        """,
        server.url,
        tmp_path,
    )
    assert done.returncode == -signal.SIGINT


def test_modules_are_imported_one_by_one_so_that_threads_can_run_in_between() -> None:
    done = run_script(
        """
        import importlib, sys
        import recost
        recost.init(local_dir="/nonexistent/never-written")
        from recost.lifecycle.late import MODULES

        def own():
            return {name for name in sys.modules if name.startswith("recost.")}

        for name in MODULES:
            before = own()
            importlib.import_module(name)
            # A package may import its own modules, with pauses between them where they are many.
            family = {new for new in own() if f"{new}.".startswith(f"{name}.") or name.startswith(f"{new}.")}
            print(name, *sorted(own() - before - family))
        """
    )
    assert (done.returncode, complaints(done)) == (0, [])
    assert [line for line in done.stdout.splitlines() if " " in line] == []


def test_all_modules_that_the_first_call_needs_are_imported_one_by_one(
    server: Loopback, tmp_path: Path
) -> None:
    done = run_script(
        f"""
        import importlib, sys, urllib.request
        import recost
        handle = recost.init(local_dir={str(tmp_path)!r})
        from recost.lifecycle.late import MODULES
        for name in MODULES:
            importlib.import_module(name)
        before = set(sys.modules)
        urllib.request.urlopen("{server.url}/plain/late").read()
        handle.flush_blocking()
        print(*sorted(name for name in set(sys.modules) - before if name.startswith("recost.")))
        """
    )
    assert (done.returncode, complaints(done)) == (0, [])
    assert set(done.stdout.split()) <= {"recost._files", "recost._folders", "recost._documents"}, done.stdout
