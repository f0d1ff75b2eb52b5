"""Leaking paths of kinds and values that no rule was written for: names of many languages, codes, files."""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Iterator
from typing import Final

_CHANCE: Final = random.Random(1130)
_LETTERS: Final = string.ascii_letters + string.digits

_NAMES_TEXT: Final = """
    priya.sharma wei-zhang chukwuemeka oluwaseun_adeyemi fatima-al-zahra bjornsson KowalskaAnna
    svetlana.ivanova hiroshi-yamamoto thandiwe jean-luc.picard maria-jose dmitri_volkov siobhan.oconnor
    mehmet-yilmaz ananya.iyer t.nakamura vanderberg rodriguez-g lucia_fernandez kwame gustafsson
    eleni-papadopoulou abdulrahman zsofia.nagy nina.hagen m-dupont hassan_ali pietro.rossi ingrid-larsen
    night-owl coffee-lover dark-knight code-monkey data-nerd music-fan shadow phoenix carter-page
    forest-rivers mark miles banks parks gates page port cooper walker admin42 checkmate newlife
    stone-carpenter baker_street
"""
_NAMES: Final = _NAMES_TEXT.split()
_PERSON_PLACES_TEXT: Final = """
    /v3/users/{}/playlists /members/{}/permissions /api/employees/{}/payslips /hr/candidates/{}/resume
    /clinic/patients/{}/visits /passengers/{} /people/{}/photos /crm/contacts/{} /authors/{}/books
    /v1/guests/{}/stay /account/{}/history /tutors/{}/lessons /drivers/{}/trips /authors:{}
    /profile/{}/avatar /customers/by-email/{} /students({})/grades /beneficiaries/{}/iban
    /subscribers/{}/tags /owners/{}
"""
_PERSON_PLACES: Final = _PERSON_PLACES_TEXT.split()
_TENANTS_TEXT: Final = """
    initrode wonka-candies vandelay-imports piedpiper cyberdyne-systems monsters-inc oscorp
    massive_dynamic tyrell duff-beer soylent-green gringotts paper-street-soap bluth-company
    sterling-cooper aperture-science HookiHoldings weyland.yutani los-pollos dunder-mifflin home-depot
    best-western snow-flake service-now zip-recruiter app-lovin data-dog door-dash general-mills red-hat
    first-solar big-commerce river-island north-face task-rabbit credit-karma american-express
    capital-one royal-mail state-farm progressive-insurance delta-air-lines lending-club open-door
    data-science-team web-service-group paper-street-soap secure-payment mobile-first smart_home_system
    canvas
"""
_TENANTS: Final = _TENANTS_TEXT.split()
_TENANT_PLACES_TEXT: Final = """
    /v2/tenants/{}/users /orgs/{}/billing /api/workspaces/{}/members /companies/{}/invoices
    /merchants/{}/orders /enterprise/{}/audit-log /teams/{}/channels /shops/{}/products
    /realms/{}/protocol /partners/{} /organization/{}/usage /projects/{}/locations
"""
_TENANT_PLACES: Final = _TENANT_PLACES_TEXT.split()
_CODES_TEXT: Final = """
    sunflower blueberry-pancake gandalf wizard2025 earlybird welcomeback dolphin mypuppy rosebud
    moonlight goldfish-tank tangerine starfish pumpkin99 thunderstorm friendsonly summer-sale-code
    big-red-button best-friends open-the-door vip-members golden-ticket magic-words secret-garden
    season-ticket team-players first-order-free correct-order-list-page save20 WELCOME10 launch2024
    first50 HALFOFF savemoney green-apple-pie newpassword
"""
_CODES: Final = _CODES_TEXT.split()
_CODE_PLACES_TEXT: Final = """
    /invite/{} /invitations/{}/accept /join/{} /reset-password/{} /verify-email/{} /redeem/{} /coupons/{}
    /promo/{}/apply /share/{} /session/{} /tokens/{}/revoke /magic-link/{} /vouchers/{} /unsubscribe/{}
    /otp/{} /gift-cards/{}/balance
"""
_CODE_PLACES: Final = _CODE_PLACES_TEXT.split()
_PREFIXES_TEXT: Final = """
    rzp_live_ sq0csp- EAAAE sk_sandbox_ mlsn. re_ tok_visa_ acct_ sess_ pat_ key_ sec_ vercel_ fly_
    railway_ ctp_ cpk_ napi_ tskey-auth- dapi glc_ PRIVATE- api_live_ Bearer- live_pk_ apify_api_
    xkeysib-
"""
_PREFIXES: Final = _PREFIXES_TEXT.split()
_NEUTRAL: Final = ["/v1/items/{}", "/export/{}/download", "/{}"]


def _some(alphabet: str, length: int) -> str:
    return "".join(_CHANCE.choices(alphabet, k=length))


def _shapes() -> Iterator[tuple[str, str]]:
    """Yield kinds and values that are hidden wherever they stand."""
    digits, capitals = string.digits, string.ascii_uppercase
    for _ in range(2):
        number = uuid.UUID(int=_CHANCE.getrandbits(128), version=4)
        yield "uuid", str(number).replace("-", "_")
        yield "uuid", f"%7B{number}%7D"
        yield "uuid", f"item-{number}"
        yield "file", f"{number}.json"
        yield "uuid", str(uuid.uuid5(uuid.NAMESPACE_DNS, str(number)))[:18]
        yield "hex", "0x" + _some("0123456789ABCDEF", 12)
        yield "hex", ":".join(_some("0123456789abcdef", 2) for _ in range(8))
        yield "hex", _some("abcdef", 12)
        yield "base64", base64.b64encode(number.bytes * 2).decode().replace("/", "_").replace("+", "-")
        yield "base64", base64.urlsafe_b64encode(f"user:{_some(digits, 6)}".encode()).decode()
        yield "base64", base64.b64encode(b"gid://shop/Order/" + _some(digits, 5).encode()).decode()
        yield "crockford", "-".join(_some("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 5) for _ in range(4))
        yield "order", f"ORD-2025-{_some(digits, 6)}"
        yield "order", f"#{_some(digits, 5)}".replace("#", "%23")
        yield "order", f"PO{_some(digits, 7)}"
        yield "order", f"{_some(digits, 3)}-{_some(digits, 7)}-{_some(digits, 7)}"
        yield "booking", _some(capitals, 2) + _some(digits, 1) + _some(capitals, 2) + _some(digits, 1)
        yield "booking", f"BKG{_some(digits, 6)}{_some(capitals, 1)}"
        yield "tracking", f"1Z{_some(capitals + digits, 16)}"
        yield "tracking", f"RR{_some(digits, 9)}CN"
        yield "iban", f"GB{_some(digits, 2)}BARC{_some(digits, 14)}"
        yield "iban", f"FR76-3000-{_some(digits, 4)}-{_some(digits, 4)}-{_some(digits, 4)}-{_some(digits, 3)}"
        yield "card", f"5555{_some(digits, 12)}"
        yield "card", f"3782%20{_some(digits, 6)}%20{_some(digits, 5)}"
        yield "plate", f"{_some(capitals, 3)}-{_some(digits, 4)}"
        yield "plate", f"{_some(digits, 1)}{_some(capitals, 3)}{_some(digits, 3)}"
        yield "plate", f"M-{_some(capitals, 2)}%20{_some(digits, 4)}"
        yield "phone", f"00{_some('123456789', 2)}{_some(digits, 9)}"
        yield "phone", f"tel:+44{_some(digits, 10)}"
        yield "phone", f"({_some(digits, 3)})%20{_some(digits, 3)}-{_some(digits, 4)}"
        yield "passport", _some(capitals, 1) + _some(digits, 8)
        yield "ssn", f"{_some('123456789', 3)}-{_some(digits, 2)}-{_some(digits, 4)}"
        yield "vin", "WVWZZZ" + _some("0123456789", 1) + _some("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", 10)
        yield "imei", f"35-{_some(digits, 6)}-{_some(digits, 6)}-{_some(digits, 1)}"
        yield "ksuid", "2" + _some(_LETTERS, 26)
        yield "cuid", "c" + _some(string.ascii_lowercase + digits, 24)
        yield "firebase", "-" + _some(_LETTERS + "_-", 19)
        yield "shard", f"shard-{_some(digits, 12)}"
        yield "wallet", "0x" + _some("0123456789abcdefABCDEF", 40)
        yield "time", f"2025-0{_some('123456789', 1)}-1{_some(digits, 1)}T10:{_some('012345', 1)}0:00Z"
    for name in ("wei.zhang", "t.nakamura", "anna_kowalska", "priya+travel"):
        for site in ("mail.example.org", "firma.example.de"):
            yield "e-mail", f"{name}@{site}"
            yield "e-mail", f"{name}%40{site}"
    for file in (
        "CV_Priya_Sharma.pdf",
        "wei-zhang-contract.docx",
        "payslip-2025-03-kowalska.pdf",
        "xray_thandiwe.png",
        "IMG_20250301_104455.heic",
        "Rodriguez%20-%20offer.xlsx",
        "anna.kowalska.vcf",
        "statement-dmitri-volkov.csv",
    ):
        yield "file", file


def unseen_leaks() -> Iterator[tuple[str, str, str, str]]:
    """Yield kind, host, path and the text that must not be left of it."""
    host = "api.example.com"
    for kind, places, values, every in (
        ("person", _PERSON_PLACES, _NAMES, 4),
        ("tenant", _TENANT_PLACES, _TENANTS, 2),
        ("secret", _CODE_PLACES, _CODES, 2),
    ):
        for number, place in enumerate(places):
            for value in values[number % every :: every]:
                yield f"unseen {kind}", host, place.format(value), value
    for kind, value in _shapes():
        for place in _NEUTRAL:
            yield kind, host, place.format(value), value
    for prefix in _PREFIXES:
        value = prefix + _some(_LETTERS, 22)
        yield "token", host, f"/v1/things/{value}", value
        yield "token", host, f"/connect/{value}/status", value
