"""Time values of routers as Gateway API durations (GEP-2257: `^([0-9]{1,5}(h|m|s|ms)){1,4}$`)."""

from __future__ import annotations

import re

UNITS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
HAPROXY = re.compile(r"([1-9][0-9]*)(us|ms|s|m|h|d)?")
GATEWAY = re.compile(r"[1-9][0-9]{0,4}(h|m|s|ms)")
HAPROXY_MAX = 2_147_483_647
STEPS = (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def haproxy_milliseconds(text: str) -> int | None:
    """An HAProxy time (no unit: milliseconds; capped as the router caps it), rounded up; None where the router would ignore it."""
    match = HAPROXY.fullmatch(text.strip())
    if match is None:
        return None
    return min(HAPROXY_MAX, max(1, -int(-int(match[1]) * UNITS[match[2] or "ms"] // 1)))


def gateway_duration(milliseconds: int, text: str = "") -> str:
    """The Gateway API duration of exactly this length: `text` itself where it is one, else the shortest."""
    if GATEWAY.fullmatch(text):
        return text
    for unit, size in STEPS:
        if milliseconds % size == 0 and milliseconds // size <= 99_999:
            return f"{milliseconds // size}{unit}"
    parts, rest = [], milliseconds
    for unit, size in STEPS:
        count, rest = divmod(rest, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)
