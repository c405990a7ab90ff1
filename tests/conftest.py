"""Fixtures that more than one test file needs."""

from collections.abc import Iterator

import pytest

from funchost.azurite import Azurite, AzuriteUnavailableError, find_azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One in-memory Azurite per test process; tests keep apart by container and queue names."""
    try:
        find_azurite()
    except AzuriteUnavailableError as missing:
        pytest.skip(f"needs Azurite: {missing}")
    with Azurite() as running:
        yield running
