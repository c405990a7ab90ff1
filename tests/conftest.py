"""Fixtures that more than one test file needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from azurite_support import started
from emulate_support import Emulate, missing
from http_support import Inbox
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from funchost.azurite import Azurite

if TYPE_CHECKING:
    from doctor_support import Doctor

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
"""How long one example takes says how busy the machine is, not whether the program is right."""


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One in-memory Azurite per test process; tests keep apart by container and queue names."""
    with started() as running:
        yield running


@pytest.fixture(scope="session")
def _emulate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulate]:
    if why := missing():
        pytest.skip(why)
    with Emulate(tmp_path_factory.mktemp("emulate")) as running:
        yield running


@pytest.fixture
def emulate(_emulate: Emulate) -> Iterator[Emulate]:
    """GitHub and Slack, one process per test process; tests keep apart by repository and channel, faults end with their test."""
    _emulate.clear()
    yield _emulate
    _emulate.clear()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A receiver of what is posted: the function app as far as an action sees it, or a webhook's other end."""
    with Inbox() as made:
        yield made


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """`aks-copilot doctor` with the settings of the test and no others."""
    from doctor_support import doctor  # the command line is not needed by every test

    return doctor(monkeypatch, tmp_path, capsys)


COUNTED_ONCE = "tests/test_coverage.py"


class _Together(LoadScopeScheduling):
    """Every test for the next free worker, but the file whose fixture counts the corpus as a whole: it would be counted by each of them.

    Groups of pytest-xdist 3.8 do not hold with pytest 9.2, which makes a test's id of other parts than the one that xdist marks.
    """

    def _split_scope(self, nodeid: str) -> str:
        return COUNTED_ONCE if nodeid.startswith(f"{COUNTED_ONCE}::") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """The scheduler of `--dist loadgroup`."""
    return _Together(config, log) if config.getoption("dist") == "loadgroup" else None
