"""The pages are right: their snippets run, their commands and tables say what the code does."""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shlex
import subprocess
import sys
import time
from dataclasses import fields
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import recost
from recost.cli import COMMANDS
from recost.events import Instance, TagEntry
from recost.interceptors import CLIENTS
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.rules_file import load_rules
from recost.wire import encode_window
from tests.api import Api
from tests.integration.named_hosts import Answer, Asked, named_hosts, trust
from tests.lifecycle import options_page
from tests.scripts import ROOT, complaints, environment, run_script, windows

PAGES = [
    ROOT / "README.md",
    ROOT / "benchmarks" / "README.md",
    *sorted(path for path in (ROOT / "recost").rglob("*.md") if "vendor" not in path.parts),
]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
README = TEXTS["README.md"]


class Block(NamedTuple):
    """What stands between two fences."""

    page: str
    line: int
    kind: str
    code: str

    @property
    def id(self) -> str:
        return f"{self.page}-line-{self.line}"


BLOCKS = [
    Block(page, text.count("\n", 0, match.start()) + 1, match["kind"], match["code"])
    for page, text in TEXTS.items()
    for match in re.finditer(r"^```(?P<kind>\w+)\n(?P<code>.*?)^```$", text, re.MULTILINE | re.DOTALL)
]
PYTHON = [pytest.param(block.code, id=block.id) for block in BLOCKS if block.kind == "python"]
HOSTS = ["api.github.com", "api.openai.com"]

PRELUDE = """
import sys
from tests.integration.named_hosts import map_names
map_names({hosts!r}, {port})
sys.path.insert(0, {folder!r})
"""


USED = {"model": "gpt-4o-2024-08-06", "usage": {"prompt_tokens": 1000, "completion_tokens": 500}}


def answer(asked: Asked) -> Answer:
    if asked.path == "/v1/chat/completions":
        return Answer(json.dumps(USED).encode())
    return Answer(json.dumps({"host": asked.host, "data": []}).encode())


@pytest.mark.parametrize("code", PYTHON)
def test_a_python_snippet_runs(code: str, tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".recost" / "local-telemetry"
    with named_hosts(HOSTS, answer, tmp_path) as (server, bundle), Api("shop", "rc-readme-key") as api:
        env = environment(
            HOME=str(tmp_path / "home"),
            **trust(bundle),
            **(cloud(api) if "RECOST_API_KEY" in code else {}),
        )
        prelude = PRELUDE.format(hosts=HOSTS, port=server.port, folder=str(ROOT))
        result = run_script(prelude + code, env=env)
        assert (result.returncode, complaints(result)) == (0, [])
        if "api.github.com" in code:
            (window,) = windows(folder)
            (metric,) = window["metrics"]
            assert (metric["provider"], metric["endpoint"], metric["requestCount"]) == ("github", "repos", 1)
            assert len(server.log) == 1


@pytest.mark.parametrize("code", [block.code for block in BLOCKS if block.kind == "toml"])
def test_a_file_of_rules_is_loaded(code: str, tmp_path: Path) -> None:
    pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    file = tmp_path / "rules.toml"
    file.write_text(code, encoding="utf-8")
    with recost.init(providers_file=str(file), enabled=False):
        pass
    (rule,) = load_rules(file)
    assert (rule.provider, rule.usd_per_gb, rule.prices[0].usd_per_call) == (
        "proxy",
        Decimal("3.50"),
        Decimal("0.002"),
    )


METERED = {
    "README.md": ["0.0075 computed gpt-4o-2024-08-06 1"],
    "recost/pricing/README.md": [
        "0.0075 computed openai gpt-4o-2024-08-06",
        "0.0075 1 {'gpt-4o-2024-08-06': Decimal('0.0075')} 0",
    ],
}
"""What the first snippet of a page that prints a cost prints."""


@pytest.mark.skipif(find_spec("genai_prices") is None, reason="genai-prices needs Python 3.10")
@pytest.mark.parametrize("page", METERED)
def test_what_a_call_really_cost(page: str, tmp_path: Path) -> None:
    code = next(block.code for block in BLOCKS if block.page == page and "print(cost.usd" in block.code)
    with named_hosts(HOSTS, answer, tmp_path) as (server, bundle):
        prelude = PRELUDE.format(hosts=HOSTS, port=server.port, folder=str(ROOT))
        result = run_script(prelude + code, env=environment(HOME=str(tmp_path / "home"), **trust(bundle)))
    assert result.stdout.splitlines() == METERED[page]


def cloud(api: Api) -> dict[str, str]:
    return {"RECOST_API_KEY": "rc-readme-key", "RECOST_BASE_URL": api.url, "RECOST_PROJECT_ID": "shop"}


def shell(after: str, page: str = "README.md") -> str:
    text = TEXTS[page]
    match = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL).search(text, text.index(after))
    assert match is not None
    return match[1]


def test_the_three_calls_with_curl() -> None:
    curl = shell("<!-- curl -->", "recost/schema/README.md")
    with Api("shop", "rc-readme-key") as api:
        result = subprocess.run(
            ["bash", "-euc", curl.replace("curl ", "curl -sS --fail-with-body ")],
            env=environment(**cloud(api)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stderr + result.stdout
        decoder, text, answers = json.JSONDecoder(), result.stdout.strip(), []
        while text:
            value, end = decoder.raw_decode(text)
            answers.append(value)
            text = text[end:].strip()
        assert answers[0]["status"] == "accepted"
        assert all("data" in value for value in answers[1:])
        assert len(answers) == 3
        assert not api.problems


def test_the_wire_example_is_what_the_code_writes() -> None:
    found = [json.loads(block.code) for block in BLOCKS if block.kind == "json"]
    (example,) = [each for each in found if "windowId" in each]
    metric = recost.MetricEntry(
        "github",
        "repos",
        "GET",
        1,
        0,
        231.4,
        231.4,
        231.4,
        0,
        6412,
        0.0,
        cost_source={"computed": 0.0},
        unpriced_count=0,
        attempts=1,
    )
    written = recost.WindowSummary(
        "", "development", "python", recost.__version__, 0, 1, (metric,),
        window_id=example["windowId"],
        instance=Instance(example["instance"]["host"], example["instance"]["pid"], 0),
    ).to_dict()  # fmt: skip
    example["instance"].pop("start")
    written["instance"].pop("start")
    assert list(example) == list(written)
    for name in ("windowStart", "windowEnd"):
        example.pop(name)
        written.pop(name)
    assert example == written


def test_the_table_of_options_is_current() -> None:
    text = TEXTS["recost/lifecycle/README.md"]
    assert text == options_page.current(text), "run python -m tests.lifecycle.options_page"
    assert all(f"| `{setting.name}` |" in text for setting in fields(recost.RecostConfig))


CONSOLE = [
    pytest.param(
        [line[2:].partition("  #")[0].strip() for line in block.code.splitlines() if line[:2] == "$ "],
        id=block.id,
    )
    for block in BLOCKS
    if block.kind == "console"
]
STAYING = {"collector", "dashboard", "tail", "top"}
"""Commands that go on until they are interrupted; ``top --once`` doesn't."""


@pytest.mark.parametrize("lines", CONSOLE)
def test_the_lines_of_a_console_run(lines: list[str], tmp_path: Path) -> None:
    """One after the other, or as far as the options of commands that would stay."""
    write_windows(tmp_path)
    for line in lines:
        if line.startswith("pip install"):
            extra = line.partition("[")[2].partition("]")[0]
            assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text("utf-8")
            continue
        name, *arguments = shlex.split(line.partition("recost ")[2].partition("|")[0]) or [""]
        if "--dashboard" in arguments or (name in STAYING and "--once" not in arguments):
            module: Any = import_module(COMMANDS[name][0])
            parser = argparse.ArgumentParser()
            module.configure(parser)
            parser.parse_args(arguments)
            continue
        for module_name in ("duckdb",) * (name != "top") + ("statsmodels",) * (name == "forecast"):
            pytest.importorskip(module_name)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", runnable(line)],
            cwd=tmp_path,
            env=environment(
                HOME=str(tmp_path),
                RECOST_LOCAL_DIR=str(tmp_path),
                GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"),
            ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert done.stdout


def runnable(line: str) -> str:
    """Return a line with this checkout's command, without what else may not be installed."""
    return line.replace("recost ", f"{shlex.quote(sys.executable)} -m recost ", 1).partition(" | jq")[0]


def write_windows(folder: Path) -> None:
    """Leave what the lines name: a project, and a compressed file."""
    now = time.time() * 1000
    tags = (TagEntry((("tenant", "acme"),), 3, 0, 6.0, 0),)
    metric = recost.MetricEntry(
        "openai", "chat_completions", "POST", 3, 0, 900.0, 300.0, 310.0, 9, 9, 6.0, tags=tags
    )
    windows = [
        recost.WindowSummary("", "production", "python", "0", start, start + 30_000, (metric,))
        for start in (now - 90_000_000, now - 60_000)
    ]
    lines = b"".join(encode_window(window).rstrip() + b"\n" for window in windows)
    (folder / "shop.jsonl").write_bytes(lines)
    home = folder / ".recost" / "local-telemetry"
    home.mkdir(parents=True)
    (home / "default.jsonl").write_bytes(lines)
    (folder / "logs").mkdir()
    (folder / "logs" / "old.jsonl.gz").write_bytes(gzip.compress(lines))


def test_the_clients_are_all_named() -> None:
    page = TEXTS["recost/interceptors/README.md"]
    section = page[page.index("| client | seen through |") :].split("\n\n", 1)[0]
    for module in CLIENTS:
        assert module in section


def test_the_number_of_built_in_rules() -> None:
    assert len(BUILTIN_PROVIDERS) > int(re.findall(r"over (\d+) built-in rules", README)[0])


def anchors(page: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", TEXTS[page], re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", TEXTS)
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXTS[page]):
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.resolve().relative_to(ROOT).as_posix()), link


def test_the_readme_is_a_door() -> None:
    """The details stand on the pages of the rooms."""
    assert len(README.split()) <= 1300


@pytest.mark.slow
def test_the_first_command_ends_in_the_table(tmp_path: Path) -> None:
    copy = tmp_path / "clone"
    copy.mkdir()
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    if not any(files):
        pytest.skip("not a git checkout")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    command = shell("<!-- command: demo -->").replace("python3", shlex.quote(sys.executable), 1)
    env = {key: value for key, value in environment(HOME=str(tmp_path)).items() if key != "PYTHONPATH"}
    result = subprocess.run(
        ["bash", "-euc", command], cwd=copy, env=env, capture_output=True, text=True, timeout=900, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "Every call is accounted for." in result.stdout
    assert (tmp_path / ".recost" / "local-telemetry" / "demo.jsonl").exists()
    # The path of the file is as long as it is.
    assert max(len(line) for line in result.stdout.splitlines() if not line.startswith("File:")) <= 80
