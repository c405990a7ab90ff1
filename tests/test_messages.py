"""The envelope: what goes out comes back, nothing else gets in, and it stays clear of the host's trigger metadata."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import World
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import CriticalError
from shared.domain.messages import INLINE_BYTES, Envelope, decode, is_traceparent, new_traceparent, timestamp
from shared.pipeline import mail, names

RUN = "shop-0123456789ab"
TRACE = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
METADATA = {"id", "dequeueCount", "insertionTime", "expirationTime", "nextVisibleTime", "popReceipt", "queueTrigger"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=8
)


def envelope(**changes: Any) -> Envelope:
    return Envelope(**{"type": "inspect", "run_id": RUN, "dedup_key": "k", "traceparent": TRACE, "payload": {"batch": 0}} | changes)


def raw(**changes: Any) -> str:
    return json.dumps({k: v for k, v in (json.loads(envelope().encode()) | changes).items() if v is not ...})


@given(st.dictionaries(st.text(), JSON))
def test_any_payload_comes_back_from_one_line_of_ascii(payload: dict[str, Any]) -> None:
    text = envelope(payload=payload, attempt=3, deadline="2026-01-01T00:00:00Z").encode()
    assert text.isascii()
    assert "\n" not in text
    assert not METADATA & set(json.loads(text))
    assert decode(text) == envelope(payload=payload, attempt=3, deadline="2026-01-01T00:00:00Z")


def test_the_text_is_pinned() -> None:
    assert envelope().encode() == (
        '{"schemaVersion":1,"type":"inspect","runId":"shop-0123456789ab","attempt":1,"dedupKey":"k",'
        f'"traceparent":"{TRACE}","payload":{{"batch":0}}}}'
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schemaVersion": 2}, "schemaVersion"),
        ({"type": "delete"}, "type"),
        ({"runId": "../etc"}, "runId"),
        ({"runId": "Shop-0123456789ab"}, "runId"),
        ({"runId": f"{RUN}\n"}, "runId"),
        ({"attempt": 0}, "attempt"),
        ({"attempt": "1"}, "attempt"),
        ({"traceparent": "x"}, "traceparent"),
        ({"payload": ...}, "exactly one"),
        ({"claim": f"{RUN}/claims/thinker-0-0123456789abcdef.json"}, "exactly one"),
        ({"payload": ..., "claim": "shop-ffffffffffff/claims/thinker-0-0123456789abcdef.json"}, "outside"),
        ({"payload": ..., "claim": f"{RUN}/claims/../setup.json"}, "outside"),
        ({"deadline": "soon"}, "isoformat"),
        ({"id": "1"}, "id"),
        ({"run_id": RUN}, "run_id"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(CriticalError, match="unusable message") as error:
        decode(raw(**changes))
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_claim_inside_the_run_is_accepted() -> None:
    name = names.claim(RUN, "thinker", 12, "0123456789abcdef")
    assert decode(raw(payload=..., claim=name)).claim == name


@pytest.mark.parametrize(("size", "claimed"), [(INLINE_BYTES // 2, False), (INLINE_BYTES, True)])
def test_a_payload_over_48_kib_goes_to_a_blob_and_comes_back(size: int, claimed: bool) -> None:
    world = World()
    payload = {"findings": "\u20ac" * (size // 6)}  # six ASCII characters each
    mail.send_batch(world.context, names.VIOLATIONS, envelope(), "think", 7, payload)
    (message,) = world.queue.waiting
    received = decode(message.text)

    assert (received.claim is not None) == claimed
    assert len(message.text) <= INLINE_BYTES
    assert mail.payload_of(world.context, received) == payload | {"batch": 7}


def test_a_claim_that_is_gone_is_critical() -> None:
    received = decode(raw(payload=..., claim=names.claim(RUN, "thinker", 1, "0" * 16)))
    with pytest.raises(CriticalError, match="missing"):
        mail.payload_of(World().context, received)


def test_trace_contexts_differ_and_times_are_utc() -> None:
    assert new_traceparent() != new_traceparent()
    assert envelope(traceparent=new_traceparent())
    assert timestamp(0) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        (TRACE, True),
        (f"00-{'A' * 32}-{'1' * 16}-01", False),
        (f"{TRACE}-more", False),
        (f"{TRACE}\n", False),
        (f"ff{TRACE[2:]}", False),
        (f"00-{'0' * 32}-{'1' * 16}-01", False),
        (f"00-{'1' * 32}-{'0' * 16}-01", False),
        ("", False),
    ],
)
def test_a_trace_context_from_outside_is_gone_on_with_only_where_it_is_one(text: str, usable: bool) -> None:
    assert is_traceparent(text) is usable
    assert is_traceparent(new_traceparent())
