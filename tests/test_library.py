"""The knowledge base that the settings name: in the container or in Azure AI Search, with our own vectors or those of a service."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest
from fakes import MemoryBlobs, library_in
from knowledge_support import found
from model_server import ModelServer, embeds
from refresh_support import Small
from search_server import KEY, SearchServer

from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.errors import CriticalError
from shared.library import SEARCH_DIMENSIONS, build_library
from shared.model_settings import ModelSettings
from shared.pipeline import names
from shared.pipeline.knowledge_index import refresh
from shared.settings import SearchSettings, load_settings

SECRETS = EnvironmentSecrets({"SEARCH_API_KEY": KEY})
STORAGE = {"STORAGE": "UseDevelopmentStorage=true"}


def nobody() -> NoReturn:
    raise AssertionError("an identity was asked for")


def model(there: ModelServer) -> ModelSettings:
    return ModelSettings("suggest", there.url, "chat", embedding_model="embed", embedding_dimensions=16)


def test_without_settings_it_lies_in_the_cache_and_the_shipped_articles_answer_before() -> None:
    blobs = MemoryBlobs()
    library = library_in(blobs)
    assert found(library, "no matches for kind DeploymentConfig")
    assert not blobs.content
    refresh(blobs, library, Small())
    assert set(blobs.texts(names.CACHE)) == {names.KNOWLEDGE_INDEX, names.KNOWLEDGE_STATUS}
    assert found(library, "zone") == ["disks"]


def test_with_an_endpoint_it_lies_in_azure_ai_search_and_with_a_deployment_the_vectors_are_its() -> None:
    blobs = MemoryBlobs()
    with SearchServer() as server, ModelServer(embeds(16)) as there:
        ours = build_library(blobs, SECRETS, nobody, SearchSettings(server.url, "kb", "key"))
        assert found(ours, "DeploymentConfig"), "the shipped articles, while there is no index"
        refresh(blobs, ours, Small())
        assert server.indexes["kb"].vectors() == {"vector": SEARCH_DIMENSIONS}
        assert found(ours, "zone")[0] == "disks"
        theirs = build_library(blobs, SECRETS, nobody, SearchSettings(server.url, "kb2", "key"), model(there))
        refresh(blobs, theirs, Small())
        assert server.indexes["kb2"].vectors() == {"vector": 16}
        assert found(theirs, "zone")[0] == "disks"
        asked = len(there.asked)
        assert found(build_library(blobs, SECRETS, nobody, SearchSettings(server.url, "kb2", "key"), model(there)), "zone")[0] == "disks"
        assert len(there.asked) == asked, "the question's vector is kept too"
    assert set(blobs.texts(names.CACHE)) > {names.KNOWLEDGE_STATUS}
    assert names.KNOWLEDGE_INDEX not in blobs.texts(names.CACHE)


def test_an_identity_is_made_only_where_one_is_used() -> None:
    with pytest.raises(AssertionError, match="an identity was asked for"):
        build_library(MemoryBlobs(), SECRETS, nobody, SearchSettings("https://kb.search.windows.net"))


def test_settings_name_the_service_and_what_is_wrong_with_it() -> None:
    assert load_settings(STORAGE).search == SearchSettings("", "aks-copilot", "identity")
    given = {"SEARCH_ENDPOINT": "https://kb.search.windows.net/", "SEARCH_INDEX": "kb-1", "SEARCH_AUTH": "key"}
    assert load_settings(STORAGE | given).search == SearchSettings("https://kb.search.windows.net", "kb-1", "key")
    wrong = {"SEARCH_ENDPOINT": "http://kb.search.windows.net", "SEARCH_INDEX": "Kb_1", "SEARCH_AUTH": "secret"}
    with pytest.raises(CriticalError) as error:
        load_settings(STORAGE | wrong)
    assert [name for name in wrong if name in str(error.value)] == list(wrong)
    assert "kb.search" not in str(error.value)


@pytest.mark.parametrize("endpoint", ["https://a.b/c", "https://a b", "https://key@host", "https://host?x=1", "ftp://host", "host"])
def test_an_endpoint_is_a_host_and_nothing_else(endpoint: str) -> None:
    with pytest.raises(CriticalError, match="SEARCH_ENDPOINT must be https:// and a host"):
        load_settings(STORAGE | {"SEARCH_ENDPOINT": endpoint})


def test_nothing_of_search_or_models_is_imported_where_neither_is_used() -> None:
    code = (
        "import sys; from fakes import MemoryBlobs, library_in; library_in(MemoryBlobs()).search('disk', 1); "
        "print([m for m in ('openai', 'azure.search', 'pypdf') if m in sys.modules])"
    )
    folder = Path(__file__).parent
    path = {"PYTHONPATH": f"{folder}{os.pathsep}{folder.parent}"}
    ended = subprocess.run([sys.executable, "-c", code], env=os.environ | path, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
