"""Write ``leaks.txt``: paths that carry a person, a tenant or a secret, made of kinds x words x values."""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.endpoints.corpus.further_leaks import further_leaks
from tests.endpoints.corpus.unseen_leaks import unseen_leaks

LEAKS: Final = Path(__file__).with_name("leaks.txt")
_CHANCE: Final = random.Random(20261129)
_LETTERS: Final = string.ascii_letters + string.digits


def _some(alphabet: str, length: int) -> str:
    return "".join(_CHANCE.choices(alphabet, k=length))


def _token(length: int = 24) -> str:
    return _some(_LETTERS, length)


PERSONS: Final = [
    "users",
    "user",
    "customers",
    "customer",
    "patients",
    "patient",
    "members",
    "employees",
    "contacts",
    "accounts",
    "account",
    "bookings",
    "booking",
    "people",
    "person",
    "profiles",
    "students",
    "teachers",
    "doctors",
    "guests",
    "clients",
    "subscribers",
    "drivers",
    "owners",
    "authors",
    "friends",
    "recipients",
    "attendees",
    "candidates",
    "userProfiles",
    "user_profiles",
    "user-profiles",
    "customer_accounts",
    "CustomerAccounts",
    "patientRecords",
    "client-contacts",
    "appUsers",
    "v2Users",
]
TENANTS: Final = [
    "tenants",
    "tenant",
    "organizations",
    "organisations",
    "orgs",
    "companies",
    "workspaces",
    "teams",
    "shops",
    "merchants",
    "groups",
    "partners",
    "vendors",
    "enterprises",
    "projects",
    "domains",
    "realms",
    "tenantConfigs",
    "org-units",
    "workspace_members",
]
SECRETS: Final = [
    "keys",
    "key",
    "api-keys",
    "api_keys",
    "apiKeys",
    "tokens",
    "token",
    "secrets",
    "secret",
    "passwords",
    "hooks",
    "hook",
    "webhook",
    "webhooks",
    "invite",
    "invites",
    "invitations",
    "reset",
    "password-reset",
    "verify",
    "verification",
    "verify-email",
    "session",
    "sessions",
    "share",
    "shares",
    "shared-links",
    "magic-link",
    "otp",
    "confirm",
    "activate",
    "unsubscribe",
    "codes",
    "vouchers",
    "coupons",
    "credentials",
    "accessKeys",
    "access-tokens",
]
NAMES: Final = [
    "jane",
    "janedoe",
    "jdoe",
    "jane.doe",
    "jane-doe",
    "jane_doe",
    "JaneDoe",
    "JANE",
    "mmustermann",
    "okonkwo",
    "nguyen-van-an",
    "kowalski",
    "o.brien",
    "mary-ann",
    "schwarzenegger",
    "rasputin",
    "xi",
    "li",
    "grace",
]
COMPANIES: Final = [
    "acme",
    "acme-corp",
    "contoso",
    "initech",
    "umbrella",
    "globex",
    "northwind",
    "wayne-enterprises",
    "hooli",
    "stark_industries",
    "fabrikam",
    "tailspin-toys",
    "blue-ocean",
    "Acme",
    "AcmeInc",
]
PASSWORDS: Final = [
    "hunter",
    "hunter2",
    "swordfish",
    "correct-horse-battery-staple",
    "letmein",
    "opensesame",
    "s3cr3t",
    "summer2024",
    "abcdef",
    "xkqzvb",
    "sunshine",
    "secretword",
    "qwerty",
    "monkey",
]
PREFIXES: Final = [
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "pk_live_",
    "sk-proj-",
    "sk-ant-api03-",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "xoxb-",
    "xoxp-",
    "xapp-1-",
    "rc-",
    "AKIA",
    "ASIA",
    "eyJ",
    "hf_",
    "glpat-",
    "npm_",
    "pypi-",
    "dop_v1_",
    "shpat_",
    "sq0atp-",
    "SG.",
    "AIza",
    "ya29.",
    "GOCSPX-",
    "whsec_",
    "NRAK-",
    "lin_api_",
    "figd_",
    "hvs.",
    "r8_",
    "gsk_",
    "xai-",
    "pplx-",
    "nvapi-",
    "PMAK-",
    "dckr_pat_",
    "sntrys_",
    "glsa_",
    "xkeysib-",
    "phc_",
]


def _shapes() -> Iterator[tuple[str, str]]:
    """Yield kinds and values that are hidden wherever they stand."""
    for _ in range(3):
        number = uuid.UUID(int=_CHANCE.getrandbits(128), version=4)
        yield "uuid", str(number)
        yield "uuid", str(number).upper()
        yield "uuid", number.hex
        yield "uuid", "{" + str(number) + "}"
        yield "uuid", f"urn:uuid:{number}"
        yield "base64url", base64.urlsafe_b64encode(number.bytes).decode().rstrip("=")
        yield "base64", base64.b64encode(number.bytes).decode().replace("/", "%2F")
        yield "base32", base64.b32encode(number.bytes).decode().rstrip("=")
        yield "base32", base64.b32encode(number.bytes).decode().rstrip("=").lower()
        yield "base58", _some("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 22)
        yield "ulid", "01" + _some("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)
        yield "objectid", _some("0123456789abcdef", 24)
        yield "snowflake", _some("123456789", 18)
        yield "hash", _some("0123456789abcdef", 40)
        yield "hash", _some("0123456789abcdef", 64)
        yield "hash", _some("0123456789abcdef", 7) + "1"
        yield "iban", "DE" + _some(string.digits, 20)
        yield "iban", "DE89%203704%200044%200532%20" + _some(string.digits, 4)
        yield "jwt", f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI{_token(9)}.{_token(20)}"
        yield "nanoid", _some(_LETTERS + "-_", 21)
        yield "short id", _some(string.ascii_lowercase, 3) + _some(string.digits, 3)
        yield "short id", _some(string.ascii_uppercase, 2) + _some(string.digits, 5)
        yield "prefixed id", f"cus_{_token(14)}"
        yield "prefixed id", f"user_{_some(string.digits, 3)}"
        yield "phone", "%2B49" + _some(string.digits, 10)
        yield "phone", "+1-555-" + _some(string.digits, 3) + "-" + _some(string.digits, 4)
        yield "phone", "(030)" + _some(string.digits, 7)
        yield "groups", "-".join(_some(string.ascii_lowercase, 4) for _ in range(3))
        yield "groups", "-".join(_some(_LETTERS, 4).upper() for _ in range(3))
        yield "groups", "-".join(_some(string.digits, 3) for _ in range(3))
        yield "place", f"52.{_some(string.digits, 4)},13.{_some(string.digits, 4)}"
        yield "address", f"10.{_CHANCE.randrange(256)}.{_CHANCE.randrange(256)}.7"
        yield "address", f"2001:db8::{_some('0123456789abcdef', 4)}"
        yield "matrix", f"cart;jsessionid={_token(16)}"
        yield "odata", f"Users('{_CHANCE.choice(NAMES)}@example.com')"
        yield "odata", f"Orders({_some(string.digits, 5)})"
        yield "date of birth", f"19{_some('456789', 2)}-0{_some('123456789', 1)}-1{_some(string.digits, 1)}"
    for name in ("jane.doe", "max_mustermann", "o'brien", "bob+news"):
        for mail in (f"{name}@example.com", f"{name}%40example.com", f"{name}%2540example.com"):
            yield "e-mail", mail
            yield "mailto", f"mailto:{mail}"
    for name in (
        "J%C3%BCrgen",
        "Ren%C3%A9e-Zo%C3%AB",
        "佐藤",
        "Ольга",
        "jane.doe",
        "Jane%20Doe",
        "Doe,%20Jane",
        "~jane",
    ):
        yield "name", name
    for site in ("acme.com", "mail.contoso.co.uk", "acme-corp.io", "www.jane-doe.de"):
        yield "domain", site
    for file in (
        "jane-doe.pdf",
        "invoice-acme.xlsx",
        "Diagnosis_Jane_Doe.docx",
        "passport.jpg",
        "backup.sql",
        "id_rsa.pem",
    ):
        yield "file", file


def leaks() -> Iterator[tuple[str, str, str, str]]:  # noqa: C901 - one loop for each kind
    """Yield kind, host, path and the text that must not be left of it."""
    host = "api.example.com"
    for words, values, kind in (
        (PERSONS, NAMES, "person"),
        (TENANTS, COMPANIES, "tenant"),
        (SECRETS, PASSWORDS, "secret"),
    ):
        for word in words:
            for value in _CHANCE.sample(values, 8):
                before = _CHANCE.choice(["", "/v1", "/api/v2", "/rest/api/2"])
                after = _CHANCE.choice(["", "/settings", "/orders", "/"])
                form = _CHANCE.choice(["/", "/", "/", "/", "//", "/v1/", ":"])
                yield kind, host, f"{before}/{word}{form}{value}{after}", value
    for kind, value in _shapes():
        for before in ("/v1/items", "/search", "/v1/users", "/files"):
            yield kind, host, f"{before}/{value}", value
    for prefix in PREFIXES:
        for value in (prefix + _token(), prefix + "abc"):
            yield "token", host, f"/v1/things/{value}", value
            yield "token", host, f"/{value}/send", value
    for store in (
        "s3.eu-central-1.amazonaws.com",
        "oss-cn-hangzhou.aliyuncs.com",
        "cos.ap-guangzhou.myqcloud.com",
        "obs.cn-north-4.myhuaweicloud.com",
        "storage.yandexcloud.net",
        "s3.fr-par.scw.cloud",
        "s3.eu.example.com",
        "abc.r2.cloudflarestorage.com",
        "storage.googleapis.com",
        "minio.internal.example.com",
    ):
        for key in ("jane/passport", "invoices/acme/report", "backup"):
            yield "object", store, f"/photos/{key}", key.partition("/")[0]
            yield "object", "photos." + store, f"/{key}", key.partition("/")[0]
    yield "object", "swift.example.com", "/v1/AUTH_acme/photos/jane/passport", "jane"
    yield "object", "cloud.example.com", "/v1/AUTH_acme/photos/passport", "photos"
    yield "object", "cloud.example.com", "/v1/AUTH_acme/photos/passport", "acme"
    for path, value in (
        ("/repos/acme/site/commits", "acme"),
        ("/repos/acme/website/git/refs/heads/jane-fix", "jane"),
        ("/~jane/public", "jane"),
        ("/proxy/https://intranet.acme.example/login", "acme"),
        ("/services/T024BE7LD/B024BE7LE/abcdefgh", "abcdefgh"),
        ("/api/webhooks/123/abcdefgh", "abcdefgh"),
        ("/v1/documents/jane-doe:run", "jane"),
        ("/users/search/janedoe", "janedoe"),
        ("/verify/12/abcdef", "abcdef"),
        ("/openai/deployments/jane.doe@example.com/chat", "jane"),
        ("/odata/Customers('ALFKI')/Orders", "ALFKI"),
        ("/users('jane')", "jane"),
        ("/users:jane", "jane"),
        ("/users=jane", "jane"),
        ("/users;name=jane", "jane"),
        ("/users;v=1/janedoe", "janedoe"),
    ):
        yield "layout", host, path, value


def main() -> None:
    """Write the file."""
    lines = ["# kind, host, path, what must not be left of it"]
    lines += dict.fromkeys("\t".join(leak) for leak in (*leaks(), *further_leaks(), *unseen_leaks()))
    LEAKS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(lines) - 1, "leaks")


if __name__ == "__main__":
    main()
