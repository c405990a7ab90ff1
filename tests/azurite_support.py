"""An Azurite of its own for tests, or a skip with the reason."""

from __future__ import annotations

import pytest

from funchost.azurite import Azurite, AzuriteUnavailableError, find_azurite


def needs_azurite() -> None:
    """Skip where Azurite is not installed."""
    try:
        find_azurite()
    except AzuriteUnavailableError as missing:
        pytest.skip(f"needs Azurite: {missing}")


def started() -> Azurite:
    """A context manager: an in-memory Azurite on ports of its own, stopped at the end."""
    needs_azurite()
    return Azurite()
