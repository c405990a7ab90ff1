"""Names that conversions make: deterministic, legal, bounded, and free of collisions."""

from __future__ import annotations

import hashlib
import re

from shared.domain.convert.edits import is_opaque

LABEL_LIMIT = 63
NAME_LIMIT = 253


def bounded(name: str, limit: int, source: str | None = None) -> str:
    """`name` where it fits, else its beginning and a digest of `source` (the name itself by default)."""
    return name if len(name) <= limit else f"{name[: limit - 9].rstrip('-.')}-{_digest(source or name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def listener_name(hostname: str | None, *, tls: bool) -> str:
    """The listener of the shared Gateway for a host: `http` for all plain traffic, `https-www-example-com` per TLS host.

    A dot becomes `-` and a hyphen `--`, so that two hosts never share a name; what is no plain host name gets a digest.
    """
    if not tls:
        return "http"
    return "https" if hostname is None else _of_host("https", hostname)


def passthrough_name(hostname: str) -> str:
    """The listener that passes the TLS of a host through: `tls-www-example-com`."""
    return _of_host("tls", hostname)


def _of_host(protocol: str, hostname: str) -> str:
    slug = hostname.replace("-", "--").replace("*", "wildcard").replace(".", "-")
    if is_opaque(hostname) or not re.fullmatch(r"[a-z0-9-]+", slug):
        slug = f"{re.sub(r'[^a-z0-9]+', '-', hostname.lower()).strip('-')}-{_digest(hostname)}"
    return bounded(f"{protocol}-{slug}", LABEL_LIMIT, hostname)
