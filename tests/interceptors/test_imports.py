from __future__ import annotations

from pathlib import Path

import pytest

from recost.interceptors.imports import when_imported
from tests.scripts import environment, run_script


def run(code: str, *arguments: object, env: dict[str, str] | None = None) -> None:
    result = run_script(code, *arguments, env=env)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_module_that_is_there_already() -> None:
    import json

    seen: list[object] = []
    when_imported("json", seen.append)
    assert seen == [json]


def test_a_module_that_comes_later() -> None:
    run(
        """
        import sys
        from recost.interceptors.imports import when_imported
        seen = []
        when_imported("colorsys", seen.append)
        assert not seen and "colorsys" not in sys.modules
        import colorsys
        assert seen == [colorsys]
        import colorsys
        assert seen == [colorsys]
        """
    )


def test_a_submodule_and_a_package(tmp_path: Path) -> None:
    package = tmp_path / "pack" / "inner"
    package.mkdir(parents=True)
    (tmp_path / "pack" / "__init__.py").write_text("value = 1")
    (package / "__init__.py").write_text("from pack import value")
    (package / "data.txt").write_text("text")
    run(
        """
        import importlib.resources, inspect, sys
        from recost.interceptors.imports import when_imported
        seen = []
        when_imported("pack", seen.append)
        when_imported("pack.inner", seen.append)
        from pack import inner
        import pack
        assert seen == [pack, inner]
        assert inner.value == 1
        # Nothing of the hook is left to be seen.
        for loader in (pack.__loader__, pack.__spec__.loader):
            assert type(loader).__module__ == "_frozen_importlib_external"
        assert inspect.getsource(pack).strip() == "value = 1"
        assert (importlib.resources.files("pack.inner") / "data.txt").read_text() == "text"
        """,
        env=environment(PYTHONPATH=f"{Path(__file__).parents[2]}:{tmp_path}"),
    )


def test_a_module_that_is_reloaded_or_imported_again_is_reported_again() -> None:
    run(
        """
        import importlib, sys
        from recost.interceptors.imports import when_imported
        seen = []
        when_imported("colorsys", seen.append)
        import colorsys
        importlib.reload(colorsys)
        assert len(seen) == 2
        del sys.modules["colorsys"]
        import colorsys as again
        assert seen[-1] is again and len(seen) == 3
        """
    )


def test_a_module_that_does_not_exist_or_breaks_fails_as_ever(tmp_path: Path) -> None:
    (tmp_path / "breaks.py").write_text("raise LookupError('mine')")
    run(
        """
        import sys
        from recost.interceptors.imports import when_imported
        seen = []
        for name in ("no_such_module", "breaks"):
            when_imported(name, seen.append)
        try:
            import no_such_module
        except ModuleNotFoundError as error:
            assert error.name == "no_such_module"
        try:
            import breaks
        except LookupError:
            pass
        assert not seen and "breaks" not in sys.modules
        """,
        env=environment(PYTHONPATH=f"{Path(__file__).parents[2]}:{tmp_path}"),
    )


@pytest.mark.parametrize("order", ["ours first", "theirs first"])
def test_beside_the_hooks_of_wrapt(order: str) -> None:
    run(
        """
        import sys
        import wrapt
        from recost.interceptors.imports import when_imported
        seen = []
        def ours(): when_imported("colorsys", lambda module: seen.append("ours"))
        def theirs(): wrapt.register_post_import_hook(lambda module: seen.append("theirs"), "colorsys")
        for install in ((ours, theirs) if sys.argv[1] == "ours first" else (theirs, ours)):
            install()
        import colorsys
        assert sorted(seen) == ["ours", "theirs"], seen
        """,
        order,
    )


def test_many_threads_importing() -> None:
    run(
        """
        import threading
        from recost.interceptors.imports import when_imported
        seen = []
        names = ["colorsys", "netrc", "no_such_module", "plistlib"]
        for name in names:
            when_imported(name, lambda module: seen.append(module.__name__))
        def work():
            for name in names:
                try:
                    __import__(name)
                except ImportError:
                    pass
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert sorted(seen) == sorted(set(seen)) and len(seen) == 3, seen
        """
    )


@pytest.mark.parametrize("slow", ["finding", "loading"])
def test_a_module_that_another_thread_is_importing(tmp_path: Path, slow: str) -> None:
    (tmp_path / "client.py").write_text(
        "import time; early = 1; time.sleep(0.3 if __name__ == 'client' else 0); late = 2"
    )
    run(
        """
        import sys, threading, time
        from importlib.machinery import PathFinder
        slow = sys.argv[1]
        began = threading.Event()
        class Slow:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "client":
                    spec = PathFinder.find_spec(name, path, target)
                    began.set()
                    time.sleep(0.2 if slow == "finding" else 0)
                    return spec
        sys.meta_path.insert(0, Slow)
        after = []
        def use():
            import client
            after.append(list(seen))
        seen = []
        threads = [threading.Thread(target=use) for _ in range(3)]
        for thread in threads:
            thread.start()
        began.wait()
        while slow == "loading" and not hasattr(sys.modules.get("client"), "early"):
            time.sleep(0.001)
        from recost.interceptors.imports import when_imported
        when_imported("client", lambda module: seen.append((module.__name__, module.late)))
        for thread in threads:
            thread.join()
        assert seen == [("client", 2)], seen
        assert after == [seen] * 3, after  # nobody has the module without the hook
        assert type(sys.modules["client"].__spec__).__name__ == "ModuleSpec"
        """,
        slow,
        env=environment(PYTHONPATH=str(tmp_path)),
    )


def test_init_while_another_thread_imports_a_client(tmp_path: Path) -> None:
    # The import of httpx takes a while. init() runs in the middle of it, at several points.
    run(
        """
        import sys, threading, time
        thread = threading.Thread(target=__import__, args=("httpx",))
        thread.start()
        import recost
        while "httpx" not in sys.modules:
            time.sleep(0.0005)
        recost.install(lambda event: None)
        recost.install(lambda event: None)
        thread.join()
        from recost.interceptors import interception
        assert not interception.broken, interception.broken
        assert "httpx.Client.send" in interception.patches.names(), interception.patches.names()
        """
    )
