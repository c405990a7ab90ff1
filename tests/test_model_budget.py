"""The sums of tokens: under compare-and-swap, in memory and on a real Azurite, never more than allowed."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fakes import START, MemoryBlobs

from funchost.azurite import Azurite
from shared.adapters.storage import AzureStorage
from shared.domain.errors import BusyError, CriticalError
from shared.domain.language_model import BudgetSpent
from shared.model_settings import TokenLimits
from shared.pipeline.model_budget import TokenBudget
from shared.settings import StorageSettings

RUN = "shop-0123456789ab"
DAY = "budget/days/2023-11-14.json"


def sums(blobs: MemoryBlobs, name: str) -> dict[str, int]:
    return dict(json.loads(blobs.texts("cache")[name]))


def test_a_budget_belongs_to_its_violation_its_run_and_its_day() -> None:
    blobs, limits = MemoryBlobs(), TokenLimits(violation=10, run=20, day=30)
    budget = TokenBudget(blobs, limits, lambda: START)
    budget.reserve("a-1", "v", 10)
    budget.reserve("a-1", "w", 10)
    budget.reserve("b-1", "v", 10)
    with pytest.raises(BudgetSpent, match="of this day"):
        budget.reserve("b-1", "w", 1)

    TokenBudget(blobs, limits, lambda: START + 86_400).reserve("b-1", "w", 10)
    with pytest.raises(BudgetSpent, match="of this violation"):
        TokenBudget(blobs, limits, lambda: START + 86_400).reserve("b-1", "v", 1)


def test_what_others_spend_between_our_reading_and_our_writing_is_not_lost() -> None:
    class Overtaken(MemoryBlobs):
        others = 3

        def write(self, container: str, name: str, data: bytes, **conditions: Any) -> bool:
            if name == DAY and self.others:
                self.others -= 1
                spent = json.loads(self.texts("cache").get(DAY, b'{"tokens": 0}'))["tokens"] + 100
                super().write(container, name, json.dumps({"tokens": spent}).encode())
            return super().write(container, name, data, **conditions)

    blobs = Overtaken()
    TokenBudget(blobs, TokenLimits(day=310), lambda: START, pause=lambda seconds: None).reserve(RUN, "v", 10)
    assert sums(blobs, DAY) == {"tokens": 310}

    late = Overtaken()
    with pytest.raises(BudgetSpent, match="of this day"):
        TokenBudget(late, TokenLimits(day=309), lambda: START, pause=lambda seconds: None).reserve(RUN, "v", 10)
    assert sums(late, f"budget/runs/{RUN}.json")["tokens"] == 0


def test_many_at_once_never_spend_more_than_the_day_allows(azurite: Azurite) -> None:
    """On the real protocol of storage: four instances, each with its own run."""
    blobs, granted, mine = AzureStorage(StorageSettings(connection_string=azurite.connection_string)), list[int](), uuid.uuid4().hex[:12]

    def spend(number: int) -> None:
        budget = TokenBudget(blobs, TokenLimits(day=300), lambda: START)
        for _ in range(5):
            try:
                held = budget.reserve(f"shop{number}-{mine}", "v", 30)
            except (BudgetSpent, BusyError):
                continue
            budget.settle(held, 25)
            granted.append(25)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(spend, range(4)))

    found = blobs.read("cache", DAY, max_bytes=1000)
    assert found is not None
    blobs.delete("cache", DAY)
    assert json.loads(found[0])["tokens"] == sum(granted)
    assert 200 <= sum(granted) <= 300


def test_sums_that_others_change_all_the_time_are_waited_for_by_the_message() -> None:
    class Contended(MemoryBlobs):
        def write(self, container: str, name: str, data: bytes, **conditions: Any) -> bool:
            return False

    with pytest.raises(BusyError):
        TokenBudget(Contended(), TokenLimits(), lambda: START, pause=lambda seconds: None).reserve(RUN, "v", 1)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"tokens": "7"}', b'{"tokens": true}', b"\xff"])
def test_a_budget_that_cannot_be_read_is_never_taken_for_an_empty_one(data: bytes) -> None:
    blobs = MemoryBlobs()
    blobs.write("cache", DAY, data)

    with pytest.raises(CriticalError, match=f"cache/{DAY} is no budget; delete it to begin anew"):
        TokenBudget(blobs, TokenLimits(), lambda: START).reserve(RUN, "v", 1)
    assert sums(blobs, f"budget/runs/{RUN}.json")["tokens"] == 0
