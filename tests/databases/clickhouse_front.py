"""ClickHouse's HTTP interface before chdb: ``python clickhouse_front.py FOLDER PASSWORD`` prints its port.

Statements, parameters and settings are passed to the engine as they come. The data of an INSERT, which follow
the statement in the body, are read from a file.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from chdb import session

OTHERS = {
    "query", "database", "session_id", "user", "password", "default_format", "compress", "query_id", "role",
    "client_protocol_version", "buffer_size", "wait_end_of_query", "session_timeout", "session_check",
    "http_headers_progress_interval_ms", "send_progress_in_http_headers", "enable_http_compression",
    "cancel_http_readonly_queries_on_client_close",
}  # fmt: skip
FOLDER, PASSWORD = sys.argv[1:]
ENGINE = session.Session(FOLDER)
TURN = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        login = base64.b64decode(self.headers.get("authorization", "").partition(" ")[2]).decode()
        if login.partition(":")[2] != PASSWORD:
            self.respond(516, b"Code: 516. DB::Exception: default: Authentication failed")
            return
        try:
            with TURN:
                content = self.run(asked, body)
            self.respond(200, content)
        except Exception as error:  # noqa: BLE001 - the engine's message is the response
            self.respond(500, str(error).encode())

    def run(self, asked: dict[str, str], body: bytes) -> bytes:
        settings = {
            name: value
            for name, value in asked.items()
            if name not in OTHERS and not name.startswith("param_")
        }
        if settings:
            ENGINE.query("SET " + ", ".join(f"{name} = '{value}'" for name, value in settings.items()))
        parameters = {name[6:]: value for name, value in asked.items() if name.startswith("param_")}
        statement = asked.get("query", "")
        if statement.lstrip().upper().startswith("INSERT"):
            return self.insert(statement, body)
        if body.lstrip()[:6].upper() == b"INSERT" and b"FORMAT Native" in body.partition(b"\n")[0]:
            head, _, body = body.partition(b"\n")
            return self.insert(head.decode(), body)
        statement += body.decode()
        found = ENGINE.query(statement, asked.get("default_format", "TabSeparated"), params=parameters)
        return found.bytes() or b""

    def insert(self, statement: str, data: bytes) -> bytes:
        head, form, name = statement.rpartition("FORMAT ")
        with tempfile.NamedTemporaryFile(dir=FOLDER, delete=False) as file:
            file.write(data)
        try:
            ENGINE.query(f"{head} FROM INFILE '{file.name}' {form}{name}")
        finally:
            Path(file.name).unlink()
        return b""

    def respond(self, status: int, content: bytes) -> None:
        self.send_response(200 if status == 200 else 403 if status == 516 else 500)
        if status != 200:
            self.send_header("X-ClickHouse-Exception-Code", "516" if status == 516 else "1")
        self.send_header("X-ClickHouse-Server-Display-Name", "chdb")
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the base class
        if os.environ.get("RECOST_FRONT_LOG"):
            sys.stderr.write(f"{format % arguments}\n")


if __name__ == "__main__":
    SERVER = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(SERVER.server_address[1], flush=True)
    SERVER.serve_forever()
