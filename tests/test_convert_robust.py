"""No input breaks a conversion: damaged objects, and every object of the corpus, are converted or refused in one sentence."""

import copy
import json
import os
from pathlib import Path

import pytest
import yaml
from convert_support import GATEWAY_TARGET, INGRESS_TARGET, FakeLookup, apply, assert_settled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.convert import CONVERSIONS, CannotConvert, Conversion
from shared.domain.convert.base import decision_key, split_decision_key
from shared.domain.manifest import read_manifest, resources

CORPUS = Path(os.environ.get("AKS_CORPUS", Path(__file__).parents[1].parent / "shared" / "corpus"))
SEEDS = list(yaml.safe_load_all(Path(__file__).with_name("convert_seeds.yaml").read_text()))
KINDS = {s["kind"] for s in SEEDS} | {"StatefulSet", "DaemonSet", "ReplicaSet", "StorageClass", "PodSecurityPolicy", "ScaledObject"}
GARBAGE = [None, 0, -1, "", "x", "${VAR}", True, [], {}, [None], {"a": None}, ["a", {"b": 1}], 1.5]


class Openhanded(FakeLookup):
    """Answers every question, so that a conversion goes all the way."""

    def decision(self, key):
        first = split_decision_key(key)[0]
        return {"ports": 80, "replicas": 1, "hostnames": "a.example.com", "ingress": "public"}.get(first, "answer")


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from places(inner, (*path, i))


def damaged(obj, path, garbage, *, drop):
    obj = copy.deepcopy(obj)
    if not path:
        return obj
    parent = obj
    for step in path[:-1]:
        parent = parent[step]
    if drop:
        del parent[path[-1]]
    else:
        parent[path[-1]] = garbage
    return obj


def settle(name, obj, lookup):
    """The conversion, or the reason of its refusal; anything else escapes and fails the test. Nothing is left for a second conversion."""
    before = json.dumps(obj, sort_keys=True, default=str)
    try:
        settled = CONVERSIONS[name](obj, lookup)
    except CannotConvert as refused:
        settled = str(refused)
    assert json.dumps(obj, sort_keys=True, default=str) == before
    if isinstance(settled, str):
        return settled
    assert_settled(name, apply(obj, settled), lookup)
    assert [loss.path for loss in settled.losses if loss.path and not loss.path.startswith("/")] == []
    return settled


@pytest.mark.parametrize("seed", SEEDS, ids=lambda s: f"{s['kind']}-{s['metadata']['name']}")
def test_each_seed_is_converted_by_exactly_its_conversion(seed):
    done = [n for n in CONVERSIONS if isinstance(settle(n, seed, Openhanded()), Conversion)]
    assert done == [seed["metadata"]["annotations"]["converted-by"]]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_objects(data):
    seed = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 3))):
        spots = [p for p in places(seed) if p and p[0] not in ("apiVersion", "kind")] or [()]
        seed = damaged(seed, data.draw(st.sampled_from(spots)), data.draw(st.sampled_from(GARBAGE)), drop=data.draw(st.booleans()))
    target = data.draw(st.sampled_from([GATEWAY_TARGET, INGRESS_TARGET]))
    lookup = data.draw(st.sampled_from([Openhanded, FakeLookup]))(target=target)
    for name in CONVERSIONS:
        settled = settle(name, seed, lookup)
        assert isinstance(settled, Conversion) or settled.splitlines() == [settled], "a refusal is one line"


def objects_of(path):
    manifest = read_manifest(path.name, path.read_bytes())
    return [obj for document in manifest.documents for _, obj in resources(document)]


@pytest.fixture(scope="module")
def corpus():
    """Every distinct object of the corpus of a kind that some conversion may take."""
    found = {}
    for path in sorted(CORPUS.rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json") and path.stat().st_size < 300_000:
            for obj in objects_of(path):
                if obj["kind"] in KINDS:
                    found.setdefault(json.dumps(obj, sort_keys=True), obj)
    return list(found.values())


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real manifests is not on this machine")
@pytest.mark.parametrize("lookup", [FakeLookup(), Openhanded(), Openhanded(target=INGRESS_TARGET)], ids=["asking", "answered", "ingress"])
def test_every_object_of_the_corpus(corpus, lookup):
    done = [n for obj in corpus for n in CONVERSIONS if isinstance(settle(n, obj, lookup), Conversion)]
    assert len(done) > 30


@pytest.mark.parametrize(
    "segments", [["tls", "www.example.com"], ["ports", "shop/web"], ["tls", "*.a.b"], ["x"], ["images", "shop/web:1.0"]]
)
def test_decision_keys_are_reversible(segments):
    assert split_decision_key(decision_key(*segments)) == segments
