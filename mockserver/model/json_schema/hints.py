"""What the name of a property suggests about its value: the kind of a text, or the range of a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf
from typing import TypeVar

T = TypeVar("T")

# The kinds are those of `strings`: its formats, its lists and Faker's methods.
_NAMES = {
    "name": "name full_name author customer person owner assignee attendee participant recipient sender",
    "first_name": "first_name given_name",
    "last_name": "last_name surname family_name",
    "user": "username user_name login handle",
    "email": "email mail email_address",
    "city": "city town location place destination origin city_name place_name",
    "country": "country nationality",
    "country_code": "country_code",
    "state": "state province region",
    "address": "address",
    "street_address": "street street_address address_line",
    "postcode": "zip zip_code postal_code postcode",
    "company": "company company_name organization organisation employer vendor supplier manufacturer brand",
    "phone_number": "phone phone_number mobile telephone",
    "job": "job job_title occupation profession",
    "uri": "url uri link website homepage href",
    "date": "date birthday deadline",
    "clock": "time",
    "date-time": "datetime timestamp at",
    "duration": "duration",
    "identifier": "id identifier token",
    "uuid": "uuid guid",
    "currency": "currency currency_code",
    "language": "language locale language_code",
    "timezone": "timezone time_zone",
    "color": "color colour",
    "status": "status",
    "level": "priority severity level difficulty",
    "filename": "filename file_name file path",
    "title": "title headline subject heading",
    "sentence": "description content text message body note bio detail instruction",
    "reply": "summary comment reason explanation answer review thought thinking reasoning rationale response output feedback",
    "query": "query search_query search search_term question prompt",
    "amount": "price amount cost total",
    "hostname": "host hostname domain",
    "ipv4": "ip ip_address",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
# What names suggest only where a text mentions such a thing.
_MENTIONED = {
    **dict.fromkeys(("to", "cc", "bcc"), "email"),
    **dict.fromkeys(
        ("artist", "singer", "writer", "director", "creator", "speaker", "teacher", "guest", "employee", "manager"), "name"
    ),
}
_RANGES = {
    "age": (18, 90),
    "year": (1990, 2029),
    "month": (1, 12),
    "day": (1, 28),
    "hour": (0, 23),
    "minute": (0, 59),
    "quantity": (1, 10),
    "count": (1, 10),
    "price": (5, 500),
    "amount": (5, 500),
    "cost": (5, 500),
    "total": (5, 500),
    "score": (1, 5),
    "rating": (1, 5),
    "stars": (1, 5),
    "confidence": (0, 1),
    "probability": (0, 1),
    "likelihood": (0, 1),
    "percentage": (0, 100),
    "latitude": (-60, 70),
    "longitude": (-180, 180),
    "temperature": (-5, 35),
}
# Names whose numbers in a text may be others than those that are made up; of the rest of the ranges, only those within.
_LIMITS: dict[str, tuple[float, float]] = {
    "age": (0, 130),
    "year": (1000, 2999),
    **dict.fromkeys(("quantity", "count", "price", "amount", "cost", "total", "temperature"), (-inf, inf)),
}


def text_kind(name: str) -> str | None:
    """The kind of text that a property of this name holds; None where the name suggests none."""
    return _entry(name, _KINDS)


def mentioned_kind(name: str) -> str | None:
    """The kind of text that a text gives for a property of this name."""
    return text_kind(name) or _entry(name, _MENTIONED)


def number_range(name: str) -> tuple[int, int] | None:
    """The lowest and the highest number that a property of this name usually has; None where the name suggests none."""
    return _entry(name, _RANGES)


def number_limits(name: str) -> tuple[float, float]:
    """Between which limits a number that a text gives can be one for a property of this name."""
    return _entry(name, _LIMITS) or number_range(name) or (-inf, inf)


def _entry(name: str, table: Mapping[str, T]) -> T | None:
    """The entry for the longest ending of a name: `shippingAddress` and `home_addresses` both find `address`."""
    words = [word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    for start in range(len(words)):
        key = "_".join(words[start:])
        for singular in (key, re.sub("ies$", "y", key), key.removesuffix("s"), key.removesuffix("es")):
            if singular in table:
                return table[singular]
    return None
