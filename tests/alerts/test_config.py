"""``recost.toml``: what it may say, and how mistakes are named."""

from __future__ import annotations

import sys
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from recost.alerts.config import ConfigError, load_config

pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
pytest.importorskip("duckdb")

ALERT = '[[alert]]\non = "{}"\nto = ["team"]\n{}\n'
MAIL = '[[notify]]\nname = "m"\ntype = "email"\nhost = "h"\nfrom = "a@b.c"\n{}\n'
SLACK = '[[notify]]\nname = "team"\ntype = "slack"\nurl = "https://hooks.slack.com/services/x"\n'


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recost.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_all_that_may_be_said(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("file-secret\n")
    text = f"""{SLACK}
[[notify]]
name = "hook"
type = "webhook"
url_env = "HOOK"
secret_file = "{tmp_path / "secret"}"

[[notify]]
name = "pager"
type = "pagerduty"
routing_key_command = "echo routing"

[[notify]]
name = "mail"
type = "email"
host = "smtp.example.com"
from = "recost@example.com"
to = ["ops@example.com"]

[[alert]]
on = "anomaly"
by = "tag:tenant"
min_usd = 2.5
to = ["team", "pager"]
quiet = "22:00-07:00"
timezone = "Europe/Berlin"

[[alert]]
name = "month"
on = "budget"
limit_usd = 500
per = "month"
fractions = [1, 0.5]
provider = "openai"
to = ["mail"]

[[alert]]
on = "pull_failed"
max_age = "2d"
to = ["hook"]

[[alert]]
on = "digest"
every = "week"
at = "09:30"
to = ["team"]
"""
    found = load_config(file(tmp_path, text), {"HOOK": "https://example.com/hook"})
    assert found.targets["hook"].settings == {"url": "https://example.com/hook", "secret": "file-secret"}
    assert found.targets["pager"].settings == {"routing_key": "routing"}
    assert [alert.name for alert in found.alerts] == ["anomaly-1", "month", "pull_failed-3", "digest-4"]
    anomaly, month, pulls, digest = found.alerts
    assert (anomaly.options["min_usd"], anomaly.quiet) == (Decimal("2.5"), (time(22), time(7)))
    assert month.options["fractions"] == (Decimal("0.5"), 1)
    assert pulls.options["max_age"] == timedelta(days=2)
    assert digest.options["at"] == time(9, 30)
    assert "file-secret" not in repr(found)
    assert load_config(file(tmp_path, text), {}, secrets=False).targets["pager"].settings == {}


MISTAKES = {
    "not TOML": ("[[notify]\n", "line 1: it is not TOML"),
    "another table": ("[notfy]\n", "got 'notfy' at the top"),
    "not tables": ("notify = 3\n", "expected tables [[notify]]"),
    "unknown type": (SLACK.replace('"slack"', '"slak"'), "line 3: type: got 'slak': did you mean 'slack'?"),
    "type is a number": (SLACK.replace('"slack"', "3"), "line 3: type"),
    "no name": (SLACK.replace('name = "team"\n', ""), "line 1: name: got None"),
    "a name with a space": (SLACK.replace("team", "my team"), "line 2: name"),
    "no url": ('[[notify]]\nname = "a"\ntype = "slack"\n', "line 1: missing url (or url_env, url_file"),
    "a url without TLS": (SLACK.replace("https", "http"), "url: expected https://"),
    "a url that is a list": (SLACK.replace('"https://hooks.slack.com/services/x"', "[]"), "line 4: url: "),
    "two ways": (SLACK + 'url_env = "X"\n', "line 4: url: it is given more than once"),
    "a variable that is not set": (SLACK.replace("url =", "url_env ="), "is not set"),
    "an unknown setting": (SLACK + 'channel = "x"\n', "line 5: channel: unknown setting"),
    "two with a name": (SLACK * 2, "line 6: name: 'team' is the name of another target"),
    "unknown alert": (SLACK + '[[alert]]\non = "anomly"\n', "line 6: on: got 'anomly': did you mean"),
    "no targets": (SLACK + '[[alert]]\non = "anomaly"\n', "to: expected a list of names"),
    "an unknown target": (SLACK + ALERT.format("anomaly", "").replace('["team', '["teem'), "to: got 'teem'"),
    "a limit that is missing": (SLACK + ALERT.format("budget", ""), "line 5: missing limit_usd"),
    "a limit of text": (SLACK + ALERT.format("budget", 'limit_usd = "x"'), "line 8: limit_usd: got 'x', "),
    "a limit out of range": (SLACK + ALERT.format("budget", "limit_usd = 1e99999"), "out of range"),
    "a negative limit": (SLACK + ALERT.format("budget", "limit_usd = -1"), "line 8: limit_usd"),
    "quiet": (SLACK + ALERT.format("anomaly", 'quiet = "25:00-07:00"'), "line 8: quiet: got '25:00"),
    "a zone": (SLACK + ALERT.format("anomaly", 'timezone = "Mars"'), "line 8: timezone"),
    "a length": (SLACK + ALERT.format("pull_failed", 'max_age = "soon"'), "line 8: max_age"),
    "a time of day": (SLACK + ALERT.format("digest", 'at = "8"'), "line 8: at: got '8'"),
    "mail to nobody": (MAIL.format("to = []"), "to: expected a list of addresses"),
    "mail without TLS": (MAIL.format('to = ["a@b.c"]\ntls = "none"'), "tls: expected"),
}  # fmt: skip


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, what: str) -> None:
    text, expected = MISTAKES[what]
    with pytest.raises(ConfigError) as caught:
        load_config(file(tmp_path, text), {})
    assert expected in str(caught.value)
    assert str(tmp_path / "recost.toml") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hooks.slack.com" not in str(caught.value)


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "nowhere.toml", {})
