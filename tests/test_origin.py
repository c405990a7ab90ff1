"""`origin.json`: what the Intake writes is what publishers read, in the words that the API shows."""

from __future__ import annotations

import pytest
from fakes import World

from shared.domain.code_host import Repository
from shared.domain.errors import CriticalError
from shared.pipeline import names, origin, state
from shared.pipeline.origin import Origin

RUN = "shop-0123456789ab"


def test_what_is_written_is_read_again_under_the_names_that_the_api_shows() -> None:
    ctx, written = World().context, Origin(repository="acme/shop", commit="c" * 40, base="main", pull_request=5, default_branch="trunk")
    state.save(ctx, names.origin(RUN), written.to_json())

    assert origin.load(ctx, RUN) == written
    assert (written.repository, written.folder, written.main) == (Repository("acme/shop"), "", "trunk")
    assert state.load(ctx, names.origin(RUN)).items() >= {"repository": "acme/shop", "pullRequest": 5, "failOn": "error"}.items()


def test_a_run_of_no_repository_has_none_and_a_damaged_one_is_said() -> None:
    ctx = World().context
    assert origin.find(ctx, RUN) is None
    with pytest.raises(CriticalError, match="is missing"):
        origin.load(ctx, RUN)
    state.save(ctx, names.origin(RUN), {"repository": "acme/shop"})
    with pytest.raises(CriticalError, match=r"origin\.json cannot be read"):
        origin.find(ctx, RUN)
