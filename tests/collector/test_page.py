"""The page is right: its quick start runs word for word, and its units and images start what they say."""

from __future__ import annotations

import argparse
import configparser
import http.client
import json
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recost.cli import collector as command
from recost.collector import windows
from recost.collector.limits import POSTS_PER_HOUR
from recost.collector.stores import ids
from tests.collector.serving import collector, make_key, window
from tests.loopback import Loopback, free_port, wait_until
from tests.scripts import ROOT, environment

PAGE = (ROOT / "recost" / "collector" / "README.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("bash") is None, reason="needs bash and curl"
)
def test_the_quick_start(tmp_path: Path, server: Loopback) -> None:
    pytest.importorskip("duckdb")
    (tmp_path / "app.py").write_text(
        "import urllib.request\n"
        f"for _ in range(7): urllib.request.urlopen({server.url + '/plain'!r}).read()\n"
    )
    (tmp_path / "bin").mkdir()
    for name, module in (("recost", "-m recost"), ("python", "")):
        file = tmp_path / "bin" / name
        file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        file.chmod(0o755)
    script = block("sh").replace("9849", str(free_port()))
    assert script.count("recost report telemetry") == 1
    script = script.replace("recost report telemetry", "recost report --json telemetry > report.json")
    env = environment(HOME=str(tmp_path))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-mc", script],
        cwd=tmp_path,
        env={**env, "PATH": f"{tmp_path / 'bin'}:{env['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["total"]["calls"] == 7
    assert len(server.log) == 7


def parsed(line: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert line[:2][-1] == "collector"
    return parser.parse_args(line[2:])


def test_the_unit_starts_a_collector() -> None:
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block("ini"))
    asked = parsed(shlex.split(unit["Service"]["ExecStart"]))
    assert (asked.dir, asked.listen) == (f"/var/lib/{unit['Service']['StateDirectory']}", "127.0.0.1:9849")


def test_the_image_starts_a_collector() -> None:
    (line,) = re.findall(r"^CMD (.*)$", block("dockerfile"), re.MULTILINE)
    asked = parsed(json.loads(line))
    assert asked.behind_proxy
    assert asked.dir == "/data"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_has_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "recost-collector.service"
    unit.write_text(
        block("ini").replace("/opt/recost/bin/recost", sys.executable).replace("User=recost\n", "")
    )
    done = ran("systemd-analyze", "verify", "--man=no", unit)
    assert "recost-collector" not in done.stderr, done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: apt-get install prometheus")
def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "recost.key").touch()
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(block("yaml").replace("/etc/prometheus/", f"{tmp_path}/"))
    done = ran("promtool", "check", "config", configuration)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("caddy") is None, reason="no caddy: apt-get install caddy")
def test_caddy_takes_its_configuration(tmp_path: Path) -> None:
    configuration = tmp_path / "Caddyfile"
    configuration.write_text(block("caddy"))
    done = ran("caddy", "validate", "--adapter", "caddyfile", "--config", configuration)
    assert done.returncode == 0, done.stderr
    done = ran("caddy", "fmt", configuration)
    assert done.stdout.expandtabs(4) == block("caddy")


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx: apt-get install nginx-light")
def test_nginx_stands_in_front(tmp_path: Path) -> None:
    """With TLS, as the page has it: windows, the metrics, and the form with its cookie."""
    trustme = pytest.importorskip("trustme")
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "recost.key")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "recost.pem")
    folder, port = tmp_path / "stored", free_port()
    key, metrics = make_key(folder), make_key(folder, "x", "--metrics")
    with collector(folder, "--behind-proxy") as running, nginx(tmp_path, running.port, port):
        context = ssl._create_unverified_context()

        def request(method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str, str]:
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            found = response.status, response.getheader("set-cookie", ""), response.read().decode()
            connection.close()
            return found

        content, bearer = json.dumps(window()), f"Bearer {key}"
        posted = request(
            "POST", "/projects/shop/telemetry", content, Authorization=bearer, Content_Type="application/json"
        )
        assert posted[0] == 202
        assert request("GET", "/metrics")[0] == 401
        assert "recost_calls_total" in request("GET", "/metrics", Authorization=f"Bearer {metrics}")[2]
        pytest.importorskip("duckdb")
        typed = {"Content_Type": "application/x-www-form-urlencoded"}
        assert request("POST", "/login", f"key={key}", Origin="https://evil.example", **typed)[0] == 403
        own = {"Origin": f"https://127.0.0.1:{port}", "Sec_Fetch_Site": "same-origin"}
        status, cookie, _ = request("POST", "/login", f"key={key}", **own, **typed)
        assert (status, "Secure" in cookie) == (303, True)
        seen = request("GET", "/dashboard/api/view", Cookie=cookie.partition(";")[0])
        assert json.loads(seen[2])["total"]["calls"] == 3


@contextmanager
def nginx(folder: Path, target: int, port: int) -> Iterator[None]:
    """Serve the page's configuration, on other ports, with certificates of this folder."""
    server = block("nginx").replace("listen 443", f"listen 127.0.0.1:{port}").replace("9849", str(target))
    paths = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {paths} "
        f"{server.replace('/etc/ssl', str(folder))} }}"
    )
    command = ["nginx", "-c", str(configuration), "-e", "stderr", "-g", "daemon off;"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            assert wait_until(lambda: _listens(port), 30), (folder / "log").read_text()
            yield
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def ran(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, arguments)),
        env=environment(HOME="/nonexistent"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_its_limits_are_those_of_the_code() -> None:
    assert f"{POSTS_PER_HOUR:,} in any hour" in PAGE
    assert f"{windows.MAX_BODY_BYTES >> 20} MB as sent" in PAGE
    assert f"{windows.MAX_METRICS:,}. The SDKs split larger ones" in PAGE
    assert f"for {ids.IDS_KEPT_S // 86400} days, {ids.MAX_IDS // 10**6} million at most" in PAGE
