"""Reasons as sentences of their own: a capital and a full stop, and no name is written otherwise than it is."""

from __future__ import annotations

import pytest

from shared.domain.wording import sentence


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("the Route has no host: OpenShift made one up", "The Route has no host: OpenShift made one up."),
        ("a route to web's pods is needed", "A route to web's pods is needed."),
        ("Service web has no port 80.", "Service web has no port 80."),
        ("the image is asked for (see below)", "The image is asked for (see below)"),
        ("", ""),
    ],
)
def test_a_plain_word_begins_with_a_capital(reason: str, said: str) -> None:
    assert sentence(reason) == said


@pytest.mark.parametrize(
    "name", ["shop.example.com", "/spec/rules/0", "cert-manager", "helm.sh/chart", "caCertificate", "`fix`", "'a*b'", "shop:"]
)
def test_a_name_stays_as_it_is_written(name: str) -> None:
    assert sentence(f"{name} is not known") == f"{name} is not known."
