from __future__ import annotations

import copy
import dataclasses
import hashlib
import os
import pickle
import subprocess
import sys
import warnings
from enum import Enum
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

import recost.config
from recost.budgets.model import Budget
from recost.config import RecostConfig, Settings, explicit, overlay, resolve, variable
from recost.pricing.model import ProviderDef
from tests.scripts import environment

KEY = "rc-0123456789abcdef-secret"
HASH = f"sha256:{'0f' * 32}"
RULE = ProviderDef(host_pattern="api.example.com", provider="example")


def report(error: Exception) -> None: ...


TABLE: dict[str, Any] = {
    "api_key": None,
    "project_id": None,
    "environment": "development",
    "flush_interval_ms": 30_000,
    "flush_interval": None,
    "max_batch_size": 100,
    "max_buckets": 2000,
    "local_port": 9847,
    "local_transport": "file",
    "debug": False,
    "enabled": True,
    "custom_providers": [],
    "exclude_patterns": [],
    "exclude_hosts": [],
    "base_url": "https://api.recost.dev",
    "max_retries": 3,
    "shutdown_flush_timeout_ms": 3000,
    "max_consecutive_auth_failures": 5,
    "auto_shutdown_handlers": True,
    "on_error": None,
    "local_dir": "~/.recost/local-telemetry",
    "local_max_bytes": 67_108_864,
    "local_backups": 3,
    "template_paths": True,
    "capture_usage": False,
    "max_tag_sets": 100,
    "providers_file": None,
    "budgets": [],
    "flush_on_sigterm": False,
    "read_requests": True,
    "prices_file": None,
    "transports": None,
    "otlp_tags": [],
    "otlp_max_series": 2000,
    "otlp_semconv": "classic",
    "key_labels": None,
}

_BUDGET = Budget(5, on_exceed="raise")


def settle(
    config: Optional[RecostConfig] = None, environ: Optional[dict[str, str]] = None, **options: Any
) -> Settings:
    return resolve(config, options, environ or {})


def refusal(environ: Optional[dict[str, str]] = None, **options: Any) -> str:
    with pytest.raises(ValueError, match=r"^recost: ") as caught:
        settle(environ=environ, **options)
    assert type(caught.value) is ValueError
    assert caught.value.__cause__ is None
    return str(caught.value)


class TestDefaults:
    def test_are_those_of_the_table_in_its_order(self) -> None:
        assert dataclasses.asdict(RecostConfig()) == TABLE
        assert [field.name for field in dataclasses.fields(RecostConfig)] == list(TABLE)

    def test_hold_when_nothing_is_given(self) -> None:
        settings = settle()
        for name, default in TABLE.items():
            expected: Any = tuple(default) if isinstance(default, list) else default
            if name == "local_dir":
                expected = str(Path("~/.recost/local-telemetry").expanduser())
            assert getattr(settings, name) == expected, name
        assert set(settings.origins) == set(TABLE)
        assert set(settings.origins.values()) == {"default"}

    def test_lists_are_not_shared(self) -> None:
        RecostConfig().exclude_hosts.append("a")  # type: ignore[attr-defined]
        assert RecostConfig().exclude_hosts == []

    def test_mode_transport_and_interval(self) -> None:
        assert (settle().mode, settle().transport, settle().flush_interval_s) == ("local", "file", 30.0)
        assert settle(local_transport="ws").transport == "ws"
        cloud = settle(api_key=KEY, project_id="p", local_transport="ws")
        assert (cloud.mode, cloud.transport) == ("cloud", "cloud")
        assert (settle().kinds, cloud.kinds) == (("file",), ("cloud",))

    def test_transports_come_before_all_else_that_names_a_destination(self) -> None:
        both = settle(api_key=KEY, project_id="p", transports=["file", "cloud"], local_transport="ws")
        assert (both.mode, both.kinds) == ("cloud", ("file", "cloud"))
        local = settle(api_key=KEY, transports=["file"])
        assert (local.mode, local.kinds, local.transport) == ("local", ("file",), "file")
        assert settle(environ={"RECOST_TRANSPORTS": " ws , file,"}).kinds == ("ws", "file")

    def test_a_destination_without_its_key_or_project_is_refused(self) -> None:
        without_key = refusal(transports=["file", "cloud"])
        assert without_key.startswith("recost: api_key: got nothing, expected a key, because transports has ")
        assert "RECOST_API_KEY" in without_key
        assert refusal(transports=["cloud"], api_key=KEY).startswith("recost: project_id: got nothing")

    def test_a_destination_without_its_library_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "websockets", None)
        message = refusal(transports=["ws"])
        assert message == (
            """recost: transports: got 'ws', expected websockets for 'ws': pip install "recost[local]\""""
        )


class _Environment(str, Enum):
    LIVE = "production"


ACCEPTED: list[tuple[str, Any, Any]] = [
    ("api_key", KEY, KEY),
    ("project_id", "shop", "shop"),
    ("project_id", "Größe 1", "Größe 1"),
    ("environment", "production", "production"),
    ("environment", _Environment.LIVE, "production"),
    ("flush_interval_ms", 1, 1),
    ("max_batch_size", 1, 1),
    ("max_buckets", 10_000, 10_000),
    ("local_port", 1, 1),
    ("local_port", 65_535, 65_535),
    ("local_transport", "ws", "ws"),
    ("transports", ["ws", "file"], ("ws", "file")),
    ("otlp_tags", ["team"], ("team",)),
    ("otlp_max_series", 9, 9),
    ("otlp_semconv", "inference", "inference"),
    ("debug", True, True),
    ("enabled", False, False),
    ("custom_providers", [RULE], (RULE,)),
    ("custom_providers", (RULE,), (RULE,)),
    ("exclude_patterns", ["/health", "internal."], ("/health", "internal.")),
    ("exclude_hosts", {"localhost"}, ("localhost",)),
    ("base_url", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("base_url", "https://recost.example.com/api//", "https://recost.example.com/api"),
    ("base_url", "HTTPS://[::1]:8443/", "HTTPS://[::1]:8443"),
    ("max_retries", 0, 0),
    ("shutdown_flush_timeout_ms", 0, 0),
    ("max_consecutive_auth_failures", 1, 1),
    ("auto_shutdown_handlers", False, False),
    ("on_error", report, report),
    ("local_dir", "/var/recost", "/var/recost"),
    ("local_dir", Path("/var/recost"), "/var/recost"),
    ("local_max_bytes", 1, 1),
    ("local_backups", 0, 0),
    ("template_paths", False, False),
    ("capture_usage", True, True),
    ("max_tag_sets", 5, 5),
    ("prices_file", "/etc/prices.json", "/etc/prices.json"),
    ("providers_file", "/etc/rules.toml", "/etc/rules.toml"),
    ("providers_file", Path("/etc/rules.json"), "/etc/rules.json"),
    ("budgets", [_BUDGET], (_BUDGET,)),
    ("flush_on_sigterm", True, True),
    ("read_requests", False, False),
]


@pytest.mark.parametrize(("name", "value", "expected"), ACCEPTED)
class TestGivenInCode:
    def options(self, name: str, value: Any) -> dict[str, Any]:
        return {name: value, **({"project_id": "p"} if name == "api_key" else {})}

    def test_by_name(self, name: str, value: Any, expected: Any) -> None:
        settings = settle(**self.options(name, value))
        assert getattr(settings, name) == expected
        assert type(getattr(settings, name)) is type(expected)
        assert settings.origins[name] == "argument"

    def test_by_config(self, name: str, value: Any, expected: Any) -> None:
        settings = settle(RecostConfig(**self.options(name, value)))
        assert getattr(settings, name) == expected
        assert settings.origins[name] == "argument"

    def test_by_assignment(self, name: str, value: Any, expected: Any) -> None:
        config = RecostConfig()
        for key, item in self.options(name, value).items():
            setattr(config, key, item)
        assert getattr(settle(config), name) == expected


FROM_ENVIRONMENT: list[tuple[str, str, Any]] = [
    ("api_key", KEY, KEY),
    ("project_id", "shop", "shop"),
    ("environment", "production", "production"),
    ("flush_interval_ms", "5000", 5000),
    ("max_batch_size", "7", 7),
    ("max_buckets", "8", 8),
    ("local_port", "1234", 1234),
    ("local_transport", "ws", "ws"),
    ("transports", "file, ws,", ("file", "ws")),
    ("otlp_tags", "team, route", ("team", "route")),
    ("otlp_max_series", "9", 9),
    ("otlp_semconv", "inference", "inference"),
    ("key_labels", f'{{"SHA256:{HASH[7:].upper()}": "alice"}}', {HASH: "alice"}),
    ("exclude_patterns", "/health, /metrics,,", ("/health", "/metrics")),
    ("exclude_hosts", "localhost", ("localhost",)),
    ("base_url", "https://recost.example.com/", "https://recost.example.com"),
    ("max_retries", "0", 0),
    ("shutdown_flush_timeout_ms", "100", 100),
    ("max_consecutive_auth_failures", "2", 2),
    ("local_dir", "/var/recost", "/var/recost"),
    ("local_max_bytes", "1000", 1000),
    ("local_backups", " 1 ", 1),
    ("max_tag_sets", "9", 9),
    ("prices_file", "/etc/prices.json", "/etc/prices.json"),
    ("providers_file", "/etc/rules.toml", "/etc/rules.toml"),
    *[
        (name, text, value)
        for name in (
            "debug",
            "enabled",
            "auto_shutdown_handlers",
            "flush_on_sigterm",
            "read_requests",
            "template_paths",
            "capture_usage",
        )
        for value, texts in ((True, ("1", "true", "YES", "On")), (False, ("0", "False", "no", "OFF")))
        for text in texts
    ],
]


@pytest.mark.parametrize(("name", "text", "expected"), FROM_ENVIRONMENT)
def test_a_setting_from_its_environment_variable(name: str, text: str, expected: Any) -> None:
    environ = {f"RECOST_{name.upper()}": text, **({"RECOST_PROJECT_ID": "p"} if name == "api_key" else {})}
    settings = settle(environ=environ)
    assert getattr(settings, name) == expected
    assert settings.origins[name] == "environment"
    assert variable(name) in environ


def test_every_setting_but_objects_is_read_from_the_environment() -> None:
    covered = {name for name, _, _ in FROM_ENVIRONMENT}
    assert set(TABLE) - covered == {"custom_providers", "on_error", "flush_interval", "budgets"}
    settings = settle(environ={"RECOST_CUSTOM_PROVIDERS": "x", "RECOST_ON_ERROR": "print"})
    assert (settings.custom_providers, settings.on_error) == ((), None)


ENVIRON = {"RECOST_MAX_RETRIES": "7", "RECOST_DEBUG": "1", "RECOST_EXCLUDE_HOSTS": "a,b"}


class TestPrecedence:
    def test_options_over_config_over_environment_over_default(self) -> None:
        config = RecostConfig(max_retries=8, max_batch_size=9)
        settings = settle(config, ENVIRON, max_retries=10)
        assert (settings.max_retries, settings.max_batch_size, settings.debug) == (10, 9, True)
        assert settings.max_buckets == 2000
        origins = [
            settings.origins[name] for name in ("max_retries", "max_batch_size", "debug", "max_buckets")
        ]
        assert origins == ["argument", "argument", "environment", "default"]

    def test_a_default_that_is_given_counts_as_given(self) -> None:
        assert settle(RecostConfig(max_retries=3), ENVIRON).max_retries == 3
        assert settle(RecostConfig(exclude_hosts=[]), ENVIRON).exclude_hosts == ()
        assert settle(environ=ENVIRON, debug=False).debug is False

    def test_none_is_not_given(self) -> None:
        config = RecostConfig(max_retries=None, api_key=None)  # type: ignore[arg-type]
        assert config.max_retries == 3
        assert config.given() == {}
        assert settle(config, ENVIRON, debug=None).max_retries == 7

    def test_none_by_assignment_takes_back(self) -> None:
        config = RecostConfig(project_id="p")
        config.project_id = None
        assert settle(config, {"RECOST_PROJECT_ID": "q"}).project_id == "q"

    def test_positional_arguments_are_given(self) -> None:
        config = RecostConfig(None, "p", "development")
        assert config.given() == {"project_id": "p", "environment": "development"}

    def test_a_list_filled_in_place_is_given(self) -> None:
        config = RecostConfig()
        config.exclude_hosts.append("c")  # type: ignore[attr-defined]
        assert settle(config, ENVIRON).exclude_hosts == ("c",)

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
    def test_copies_remember_and_are_independent(self, duplicate: Any) -> None:
        config = RecostConfig(max_retries=3)
        twin = duplicate(config)
        twin.project_id = "p"
        assert twin.given() == {"max_retries": 3, "project_id": "p"}
        assert config.given() == {"max_retries": 3}
        assert twin != config

    @pytest.mark.parametrize("text", ["", "  "])
    def test_an_empty_variable_is_not_set(self, text: str) -> None:
        settings = settle(
            environ={"RECOST_API_KEY": text, "RECOST_ENABLED": text, "RECOST_MAX_RETRIES": text}
        )
        assert (settings.mode, settings.enabled, settings.max_retries) == ("local", True, 3)

    def test_the_process_environment_is_read_when_resolving(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECOST_PROJECT_ID", "from-process")
        assert resolve(None, {}).project_id == "from-process"


def test_importing_reads_no_environment() -> None:
    code = """
import os, sys
class Watched(dict):
    def __getitem__(self, key):
        assert not str(key).startswith("RECOST"), key
        return super().__getitem__(key)
    get = lambda self, key, default=None: self[key] if key in self else default
    def __contains__(self, key):
        assert not str(key).startswith("RECOST"), key
        return super().__contains__(key)
os.environ = Watched(os.environ)
import recost.config
recost.config.RecostConfig()
try:
    recost.config.resolve(None, {})
except AssertionError:
    print("watched")
"""
    env = environment(RECOST_API_KEY="wrong")
    result = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.stdout, result.stderr) == ("watched\n", "")


WHOLE_NUMBERS = ("flush_interval_ms", "max_batch_size", "max_buckets", "local_port", "local_max_bytes")

REFUSED: list[tuple[str, Any, str, str]] = [
    ("api_key", "undefined", "'undefine…'", "starts with 'rc-'"),
    ("api_key", "None", "'None'", "starts with 'rc-'"),
    ("api_key", "", "''", "starts with 'rc-'"),
    ("api_key", "rc-", "'rc-'", "starts with 'rc-'"),
    ("api_key", "sk-" + KEY, "'sk-rc-01…'", "starts with 'rc-'"),
    ("api_key", KEY + "\n", "'rc-01234…'", "no spaces or line breaks"),
    ("api_key", "rc-ключключ", "'rc-ключк…'", "no spaces"),
    ("api_key", KEY.encode(), "a bytes", "starts with 'rc-'"),
    ("api_key", [KEY], "['rc-01234…']", "starts with 'rc-'"),
    ("project_id", "", "''", "not blank"),
    ("project_id", " \t", "' \\t'", "not blank"),
    ("project_id", "a/b", "'a/b'", "no '/'"),
    ("project_id", "a\\b", "'a\\\\b'", "'\\'"),
    ("project_id", "..", "'..'", "'..'"),
    ("project_id", "a..b", "'a..b'", "'..'"),
    ("project_id", ".hidden", "'.hidden'", "leading '.'"),
    ("project_id", "a\0b", "'a\\x00b'", "control characters"),
    ("project_id", "a\nb", "'a\\nb'", "control characters"),
    ("project_id", "\ud800", "'\\ud800'", "control characters"),
    ("project_id", "é" * 101, "éé", "at most 200 bytes"),
    ("project_id", "shop.1", "'shop.1'", "how rotated files are named"),
    ("project_id", "CON", "'CON'", "a device of Windows"),
    ("project_id", "nul.x", "'nul.x'", "a device of Windows"),
    ("project_id", "shop.", "'shop.'", "no '.' at the end"),
    ("project_id", "shop ", "'shop '", "no space at either end"),
    ("project_id", "a:b", "'a:b'", "Windows refuses"),
    ("project_id", 17, "17", "the id of a project"),
    ("environment", " ", "' '", "not blank"),
    ("environment", b"prod", "a bytes", "a text"),
    *[
        (name, value, shown, "a whole number")
        for name in (*WHOLE_NUMBERS, "max_tag_sets")
        for value, shown in (
            (0, "0"),
            (-1, "-1"),
            (True, "True"),
            ("30000", "'30000'"),
            (1.5, "1.5"),
            (10**30, "1000000"),
        )
    ],
    *[
        (name, value, shown, "a whole number")
        for name in ("max_retries", "shutdown_flush_timeout_ms", "local_backups")
        for value, shown in ((-1, "-1"), (False, "False"), ("3", "'3'"), (float("nan"), "nan"))
    ],
    ("max_consecutive_auth_failures", 0, "0", "a whole number from 1"),
    ("flush_interval_ms", float("inf"), "inf", "milliseconds"),
    ("local_port", 65_536, "65536", "from 1 to 65535"),
    *[
        ("flush_interval", value, shown, "seconds above 0")
        for value, shown in (
            (0, "0"),
            (-0.5, "-0.5"),
            (float("nan"), "nan"),
            (float("inf"), "inf"),
            ("30", "'30'"),
            (True, "True"),
            (10**400, "1000000"),
        )
    ],
    ("local_transport", "websocket", "'websocket'", "'file' or 'ws'"),
    ("local_transport", ["ws"], "['ws']", "'file' or 'ws'"),
    ("transports", [], "[]", "'file', 'ws', 'cloud', 'otlp'"),
    ("otlp_tags", [1], "1", "names of tags"),
    ("otlp_max_series", 0, "0", "a whole number from 1 to 100000"),
    ("otlp_semconv", "new", "'new'", "'classic' or 'inference'"),
    ("transports", ["file", "file"], "['file', 'file']", "each once"),
    ("transports", ["file", "clod"], "'clod'", "a list of destinations"),
    ("transports", [b"file"], "a bytes", "a list of destinations"),
    ("transports", "file", "'file'", "a list of destinations"),
    ("prices_file", " ", "' '", "the path of a file"),
    ("key_labels", {KEY: "alice"}, "a dict", "64 hex digits"),
    ("providers_file", " ", "' '", "the path of a file"),
    ("providers_file", 3, "3", "the path of a file"),
    ("budgets", [5], "5", "a list of recost.Budget"),
    ("budgets", [_BUDGET, Budget(5, on_exceed="raise")], "[", "pass name="),
    *[
        (name, value, shown, "True or False")
        for name in (
            "debug",
            "enabled",
            "auto_shutdown_handlers",
            "flush_on_sigterm",
            "read_requests",
            "template_paths",
            "capture_usage",
        )
        for value, shown in ((1, "1"), ("true", "'true'"))
    ],
    ("custom_providers", RULE, "a ProviderDef", "a list of recost.ProviderDef"),
    ("custom_providers", [{"provider": "x"}], "a dict", "a list of recost.ProviderDef"),
    ("exclude_patterns", "/health", "'/health'", "a list of texts"),
    ("exclude_patterns", ["ok", "*.internal"], "'*.internal'", "without '*'"),
    ("exclude_patterns", [""], "''", "a list of texts"),
    ("exclude_patterns", [3], "3", "a list of texts"),
    ("exclude_hosts", "localhost", "'localhost'", "a list of host names"),
    ("exclude_hosts", ["*.internal"], "'*.internal'", "without '*'"),
    ("exclude_hosts", [None], "[None]", "a list of host names"),
    ("base_url", "", "''", "http:// or https:// URL"),
    ("base_url", "api.recost.dev", "'api.recost.dev'", "http:// or https:// URL"),
    ("base_url", "ftp://api.recost.dev", "'ftp://api.recost.dev'", "http:// or https:// URL"),
    ("base_url", "https://", "'https://'", "with a host"),
    ("base_url", "https:///path", "'https:///path'", "with a host"),
    ("base_url", "https://h:99999", "'https://h:99999'", "http:// or https:// URL"),
    ("base_url", "https://h:0", "'https://h:0'", "http:// or https:// URL"),
    ("base_url", "https://[::1", "'https://[::1'", "http:// or https:// URL"),
    ("base_url", "https://h/?token=hidden", "'https://h/?…'", "without user name, query"),
    ("base_url", "https://h/#x", "'https://h/#x'", "query and fragment"),
    ("base_url", "https://me:hidden@h/", "'https://***@h/'", "without user name"),
    ("base_url", "https://me:hid?den@h/", "'https://***@h/'", "without user name"),
    ("base_url", "https://me:hid?den@h/?t=x", "'https://***@h/?…'", "without user name"),
    ("base_url", "me:hid://den@h/", "'***@h/'", "http:// or https:// URL"),
    ("base_url", "https://h/a b", "'https://h/a b'", "http:// or https:// URL"),
    ("base_url", "https://h/\n", "'https://h/\\n'", "http:// or https:// URL"),
    ("base_url", "https://h/ü", "'https://h/ü'", "http:// or https:// URL"),
    ("base_url", "http://127.0.0.1%2eevil.test", "'http://127.0.0.1%2eevil.test'", "http:// or https:// URL"),
    ("base_url", "http://localhost%2fevil.test", "'http://localhost%2fevil.test'", "http:// or https:// URL"),
    ("base_url", "http://h%0d%0aX", "'http://h%0d%0aX'", "http:// or https:// URL"),
    ("base_url", "http://[::1]evil.test", "'http://[::1]evil.test'", "http:// or https:// URL"),
    ("base_url", "http://evil.test[::1]", "'http://evil.test[::1]'", "http:// or https:// URL"),
    ("base_url", b"https://h", "a bytes", "http:// or https:// URL"),
    ("on_error", "print", "'print'", "a function"),
    ("local_dir", "", "''", "the path of a folder"),
    ("local_dir", "a\0b", "'a\\x00b'", "the path of a folder"),
    ("local_dir", 3, "3", "the path of a folder"),
]


@pytest.mark.parametrize(("name", "value", "shown", "wanted"), REFUSED)
def test_a_bad_value_is_refused_with_its_name_what_was_given_and_what_is_wanted(
    name: str, value: Any, shown: str, wanted: str
) -> None:
    message = refusal(**{"project_id": "p", name: value})
    assert message.startswith(f"recost: {name}: got ")
    assert shown in message.partition(", expected ")[0]
    assert wanted in message.partition(", expected ")[2]
    assert KEY not in message
    assert "hidden" not in message or value == ".hidden"


REFUSED_FROM_ENVIRONMENT = [
    ("api_key", "undefined", "'undefine…'"),
    ("api_key", '"' + KEY + '"', "'\"rc-0123…'"),
    ("flush_interval_ms", "30s", "'30s'"),
    ("flush_interval_ms", "0", "0"),
    ("flush_interval", "nan", "nan"),
    ("local_port", "99999", "99999"),
    ("max_retries", "1.5", "1.5"),
    ("debug", "maybe", "'maybe'"),
    ("enabled", "2", "'2'"),
    ("local_transport", "tcp", "'tcp'"),
    ("transports", ",", "[]"),
    ("transports", "file,file", "['file', 'file']"),
    ("transports", "file,tcp", "'tcp'"),
    ("exclude_patterns", "a,*.b", "'*.b'"),
    ("project_id", "a/b", "'a/b'"),
]


@pytest.mark.parametrize(("name", "text", "shown"), REFUSED_FROM_ENVIRONMENT)
def test_a_bad_environment_variable_is_refused_by_its_name(name: str, text: str, shown: str) -> None:
    message = refusal({variable(name): text})
    assert message.startswith(f"recost: {name} (from {variable(name)}): got {shown}, expected ")
    assert KEY not in message


def test_every_setting_has_a_refused_value() -> None:
    assert {name for name, _, _, _ in REFUSED} == set(TABLE)


class TestOtherErrors:
    def test_cloud_mode_without_a_project(self) -> None:
        message = refusal(api_key=KEY)
        assert message.startswith("recost: project_id: got nothing, expected the id of your project")
        assert "RECOST_PROJECT_ID" in message
        assert KEY not in message
        assert refusal({"RECOST_API_KEY": KEY}) == message

    def test_an_unknown_option_suggests_the_nearest(self) -> None:
        assert refusal(api_kye=KEY) == "recost: invalid option 'api_kye': did you mean 'api_key'?"
        assert refusal(flush_interval_s=None).endswith("did you mean 'flush_interval_ms'?")

    def test_an_unknown_option_that_is_near_to_none_lists_all(self) -> None:
        message = refusal(zzz=1)
        assert all(name in message for name in TABLE)

    def test_an_unknown_field_of_a_config(self) -> None:
        with pytest.raises(TypeError, match="api_kye") as caught:
            RecostConfig(api_kye=KEY)  # type: ignore[call-arg]
        assert KEY not in str(caught.value)

    @pytest.mark.parametrize("config", [KEY, {"api_key": KEY}, RecostConfig])
    def test_a_config_of_another_type(self, config: Any) -> None:
        with pytest.raises(ValueError, match=r"^recost: config: got a \w+, expected a recost.RecostConfig$"):
            resolve(config, {}, {})


class TestFlushInterval:
    def test_warns_and_wins_over_the_milliseconds(self) -> None:
        with pytest.warns(DeprecationWarning, match="use flush_interval_ms"):
            settings = settle(flush_interval=0.5, flush_interval_ms=9)
        assert (settings.flush_interval_ms, settings.flush_interval_s, settings.flush_interval) == (
            500,
            0.5,
            None,
        )
        assert settings.origins["flush_interval_ms"] == "argument"

    def test_is_at_least_a_millisecond(self) -> None:
        with pytest.warns(DeprecationWarning, match="flush_interval"):
            assert settle(flush_interval=1e-9).flush_interval_ms == 1

    def test_from_the_environment(self) -> None:
        with pytest.warns(DeprecationWarning, match="flush_interval"):
            settings = settle(environ={"RECOST_FLUSH_INTERVAL": "2.5", "RECOST_FLUSH_INTERVAL_MS": "1"})
        assert settings.flush_interval_ms == 2500
        assert settings.origins["flush_interval_ms"] == "environment"

    def test_of_a_lower_layer_does_not_win(self) -> None:
        settings = settle(environ={"RECOST_FLUSH_INTERVAL": "2.5"}, flush_interval_ms=9)
        assert settings.flush_interval_ms == 9
        assert settle(RecostConfig(flush_interval=5), flush_interval_ms=9).flush_interval_ms == 9

    def test_the_warning_points_at_the_code_that_called(self) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            settle(flush_interval=1)
        assert [warning.filename for warning in caught] == [__file__]


class TestSettings:
    def test_are_frozen(self) -> None:
        settings = settle()
        with pytest.raises(dataclasses.FrozenInstanceError):
            settings.debug = True
        with pytest.raises(dataclasses.FrozenInstanceError):
            del settings.debug

    def test_are_a_config_that_resolves_to_itself(self) -> None:
        settings = settle(project_id="p")
        assert resolve(settings, {}, {"RECOST_ENVIRONMENT": "other"}) is settings
        other = resolve(settings, {"debug": True}, {"RECOST_ENVIRONMENT": "other"})
        assert (other.project_id, other.debug, other.environment) == ("p", True, "development")

    def test_are_equal_by_value(self) -> None:
        assert settle(debug=True) == settle(environ={"RECOST_DEBUG": "1"})
        assert settle(debug=True) != settle()

    def test_survive_pickling(self) -> None:
        settings = settle(project_id="p")
        assert pickle.loads(pickle.dumps(settings)) == settings


class TestLocalDir:
    def test_is_absolute(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert settle(local_dir="here").local_dir == str(tmp_path / "here")

    def test_home_is_expanded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        assert settle().local_dir == str(tmp_path / ".recost" / "local-telemetry")
        assert settle(environ={"RECOST_LOCAL_DIR": "~/here"}).local_dir == str(tmp_path / "here")

    def test_without_a_home_it_is_still_absolute(self) -> None:
        assert Path(settle(local_dir="~nobody-of-this-name/x").local_dir).is_absolute()


class TestSecrets:
    def test_no_repr_shows_more_of_a_key_than_eight_characters(self) -> None:
        config = RecostConfig(api_key=KEY, project_id="p", base_url="https://me:hidden@h/?token=hidden")
        assert repr(config) == (
            "RecostConfig(api_key='rc-01234…', project_id='p', base_url='https://***@h/?…')"
        )
        settings = settle(api_key=KEY, project_id="p")
        assert repr(settings).startswith(
            "Settings(api_key='rc-01234…', project_id='p', environment='development'"
        )
        for text in (repr(config), str(settings), f"{config}", f"{settings!r}"):
            assert KEY[:9] not in text
            assert "hidden" not in text

    def test_a_key_in_the_wrong_place_is_shortened_too(self) -> None:
        for name in ("project_id", "environment", "local_transport", "base_url", "local_dir"):
            assert KEY[:9] not in repr(RecostConfig(**{name: KEY}))  # type: ignore[arg-type]
        for name in ("local_transport", "base_url", "debug", "max_retries", "exclude_hosts", "on_error"):
            wrong: dict[str, Any] = {name: KEY}
            assert KEY[:9] not in refusal(**wrong)

    @given(
        name=st.sampled_from(sorted(TABLE)),
        value=st.one_of(
            st.just(KEY),
            st.just([KEY]),
            st.just({KEY: KEY}),
            st.just(KEY.encode()),
            st.just(f"https://{KEY}@h/?{KEY}"),
        ),
    )
    def test_no_message_holds_a_key(self, name: str, value: Any) -> None:
        try:
            settings = settle(**{name: value})
        except ValueError as error:
            assert KEY[:9] not in str(error)  # noqa: PT017 - not every value is refused
        else:
            assert KEY[:9] not in repr(settings)


@given(st.text())
def test_a_project_id_that_is_accepted_is_the_name_of_a_file(text: str) -> None:
    try:
        accepted = settle(project_id=text).project_id
    except ValueError:
        return
    assert accepted == text
    path = Path("/folder", f"{text}.jsonl")
    assert path.parent == Path("/folder")
    assert os.path.normpath(path) == str(path)
    assert len(os.fsencode(path.name)) <= 255


def test_layers() -> None:
    assert overlay({"a": 1, "b": 2}, {"a": None, "b": 3}) == {"a": 1, "b": 3}
    assert overlay({"flush_interval": 1}, {"flush_interval_ms": 2}) == {"flush_interval_ms": 2}
    assert overlay({"flush_interval": 1}, {"debug": True}) == {"flush_interval": 1, "debug": True}
    assert explicit(RecostConfig(debug=True, max_retries=1), {"max_retries": 2}) == {
        "debug": True,
        "max_retries": 2,
    }


def test_the_types_of_modes() -> None:
    assert recost.config.TransportMode.__args__ == ("local", "cloud")  # type: ignore[attr-defined]
    assert recost.config.LocalTransportMode.__args__ == ("file", "ws")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("url", "warns"),
    [
        ("http://collector.internal", True),
        ("http://10.0.0.7:9849/base", True),
        ("HTTP://Collector.Internal", True),
        ("http://localhost.collector.internal", True),
        ("http://127.0.0.1.collector.internal", True),
        ("http://LOCALHOST.", False),
        ("http://[2001:db8::1]:80", True),
        ("https://collector.internal", False),
        ("http://localhost:9849", False),
        ("http://127.9.9.9:9849", False),
        ("http://[::1]:9849", False),
    ],
)
def test_a_key_that_anybody_on_the_way_can_read_is_warned_of(url: str, warns: bool) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        recost.init(api_key="rc-abcdefgh", project_id="p", base_url=url).dispose()
    assert [(each.category, each.filename) for each in told] == [(RuntimeWarning, __file__)] * warns
    assert all("abcdefgh" not in str(each.message) and "https://" in str(each.message) for each in told)


class TestKeyLabels:
    @pytest.mark.parametrize("name", ["keys.json", "Schlüssel {1}.json"])
    def test_are_read_from_a_file(self, tmp_path: Path, name: str) -> None:
        file = tmp_path / name
        file.write_text(f'\ufeff{{"{HASH}": "Zoë"}}', encoding="utf-8")
        for settings in (
            settle(key_labels=file),
            settle(key_labels=str(file)),
            settle(environ={"RECOST_KEY_LABELS": f" {file} "}),
        ):
            assert settings.key_labels == {HASH: "Zoë"}
            assert pickle.loads(pickle.dumps(settings)) == settings

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({"sk-secret-key": "alice"}, "entry 1 has no such hash"),
            ({HASH: "alice", "sha256:sk-secret-key": "bob"}, "entry 2 has no such hash"),
            ({HASH: 3}, "the label of entry 1 is not a text"),
            ({HASH: "sk-secret-key" * 9}, "entry 1: tag 'key': got 117 characters"),
            ({HASH: " "}, "entry 1: tag 'key': got a blank text"),
            ({f"sha256:{hashlib.sha256().hexdigest()}": "alice"}, "entry 1 is the hash of an empty key"),
            (dict.fromkeys(map(str, range(10_001)), "alice"), "at most 10000 labels"),
            ("sk-secret-key", "it can't be read: "),
            ("sk-secret-key\0", "64 hex digits"),
            ("/dev/null", "it is not JSON"),
            ("/", "it "),
            ('{"sk-secret-key": "alice"', "64 hex digits"),
            (f'{{"{HASH}": "a", "{HASH}": "sk-secret-key"}}', "64 hex digits"),
            ("{" * 100_000, "64 hex digits"),
            (["sk-secret-key"], "64 hex digits"),
            (7, "64 hex digits"),
        ],
    )
    def test_a_mistake_quotes_neither_keys_nor_hashes(self, value: Any, expected: str) -> None:
        messages = [refusal(key_labels=value)]
        if isinstance(value, str) and "\0" not in value:
            messages.append(refusal(environ={"RECOST_KEY_LABELS": value}))
        for message in messages:
            assert expected in message
            assert "secret" not in message
            assert "0f0f" not in message
        assert "secret" not in repr(RecostConfig(key_labels=value))

    def test_a_file_of_anything_else_is_refused_unquoted(self, tmp_path: Path) -> None:
        file = tmp_path / "keys.json"
        for content in ('["sk-secret-key"]', "sk-secret-key", '{"sk-secret-key": {}}', "[" * 100_000, "\xff"):
            file.write_bytes(content.encode("latin-1"))
            assert "secret" not in refusal(key_labels=file)

    def test_none_and_no_labels_are_the_same_as_nothing(self) -> None:
        assert settle(environ={"RECOST_KEY_LABELS": "{}"}).key_labels == {}
        assert settle(key_labels=None).key_labels is None

    def test_are_not_shown(self) -> None:
        assert repr(RecostConfig(key_labels={HASH: "alice"})) == "RecostConfig(key_labels=a dict)"
