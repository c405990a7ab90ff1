"""Which data of an application must be carried over, and how: databases by dump, other claims file by file, shared volumes not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared.domain.inventory import Inventory, Item, grouped

SCALED = ("Deployment", "DeploymentConfig", "StatefulSet", "ReplicaSet", "ReplicationController")
"""Kinds that `kubectl scale` can stop."""
LASTING = (*SCALED, "Pod", "DaemonSet")
NODE_LOCAL = ("hostPath", "local")


@dataclass(frozen=True, slots=True)
class Engine:
    """A database program: how a container of it is recognised, and the commands, run by `sh` inside it, that write and read a dump.

    `starts` are the programs of its image; a container that starts another one only uses its tools (a backup, a check).
    """

    title: str
    image: re.Pattern[str]
    starts: tuple[str, ...]
    dump: str
    restore: str
    ending: str
    complete: str


_PG = 'PGPASSWORD="${POSTGRES_PASSWORD:-$POSTGRESQL_PASSWORD}"'
_PG_USER = '-U "${POSTGRES_USER:-${POSTGRESQL_USERNAME:-postgres}}"'
_MY = (
    'export MYSQL_PWD="${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD:-$(cat "${MARIADB_ROOT_PASSWORD_FILE:-$MYSQL_ROOT_PASSWORD_FILE}" '
    '2>/dev/null)}}"; '
)
_MY_ALL = "--all-databases --single-transaction --routines --events --flush-privileges"
_ADMIN = "--authenticationDatabase admin"
_MONGO = (
    f'${{MONGO_INITDB_ROOT_USERNAME:+-u "$MONGO_INITDB_ROOT_USERNAME" -p "$MONGO_INITDB_ROOT_PASSWORD" {_ADMIN}}} '
    f'${{MONGODB_ADMIN_PASSWORD:+-u admin -p "$MONGODB_ADMIN_PASSWORD" {_ADMIN}}} '
    f'${{MONGODB_ROOT_PASSWORD:+-u "${{MONGODB_ROOT_USER:-root}}" -p "$MONGODB_ROOT_PASSWORD" {_ADMIN}}}'
)
_TAIL = "the last lines say that it is complete"
ENGINES = (
    Engine(
        "PostgreSQL of OpenShift", re.compile(r"(^|/)postgresql-\d+[\w-]*$|(sclorg|centos7?|rhscl|rhel\d)/postgresql"), ("run-postgresql",),
        "pg_dumpall --clean --if-exists", "psql -d postgres", "sql", _TAIL,
    ),
    Engine(
        "PostgreSQL", re.compile(r"(^|/)(postgres(ql)?|postgis|pgvector|timescaledb(-ha)?)$"), ("postgres", "docker-entrypoint.sh"),
        f"{_PG} pg_dumpall {_PG_USER} --clean --if-exists", f"{_PG} psql {_PG_USER} -d postgres", "sql", _TAIL,
    ),
    Engine(
        "MySQL or MariaDB", re.compile(r"(^|/)(mysql|mariadb|percona|(mysql|mariadb)-\d+[\w-]*)$"),
        ("mysqld", "mariadbd", "docker-entrypoint.sh", "run-mysqld"),
        f"{_MY}$(command -v mariadb-dump || command -v mysqldump) -u root {_MY_ALL}",
        f"{_MY}$(command -v mariadb || command -v mysql) -u root", "sql", _TAIL,
    ),
    Engine(
        "MongoDB", re.compile(r"(^|/)(mongo(db)?|mongodb-\d+[\w-]*)$"), ("mongod", "docker-entrypoint.sh", "run-mongod"),
        f"mongodump --archive {_MONGO}", f"mongorestore --archive --drop {_MONGO}", "archive", "it is not empty",
    ),
)  # fmt: skip
"""Facts: the entry points and variables of docker.io/library/{postgres,mysql,mariadb,mongo}, bitnami's and sclorg's images."""


@dataclass(frozen=True, slots=True)
class Database:
    """A container that keeps a database."""

    item: Item
    container: str
    engine: Engine

    @property
    def file(self) -> str:
        """The name of its dump, of no other database."""
        parts = (self.item.namespace, self.item.name, self.container if self.container != self.item.name else None)
        return f"{'-'.join(filter(None, parts))}.{self.engine.ending}"

    @property
    def key(self) -> tuple[str | None, str]:
        """The same on both clusters, whatever kind runs it."""
        return self.item.namespace, self.item.name


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim by the name that it has in a cluster, as it is on AKS; `users` mount it there."""

    name: str
    namespace: str | None
    file: str
    facts: Mapping[str, Any]
    users: tuple[Item, ...]

    @property
    def template(self) -> str | None:
        """The claim template that a StatefulSet makes it from; None for a claim of its own."""
        made = self.facts.get("name")
        return made if isinstance(made, str) and made != self.name else None

    @property
    def is_share(self) -> bool:
        """Whether it gets a file share, which keeps no owners of files."""
        return str(self.facts.get("class", "")).startswith("azurefile")


@dataclass(frozen=True, slots=True)
class Data:
    """`copied` file by file; `dumped` hold a database's files; `shared` are the same storage before and after; `raw` have no file system."""  # noqa: E501 (a sentence of the page)

    databases: tuple[Database, ...]
    copied: tuple[Claim, ...]
    dumped: tuple[Claim, ...]
    shared: tuple[Claim, ...]
    raw: tuple[Claim, ...]

    @property
    def moves(self) -> bool:
        """Whether any data must be carried over."""
        return bool(self.databases or self.copied or self.raw)


def databases(inventory: Inventory) -> tuple[Database, ...]:
    """The databases among what runs for good, each once, however many folders describe it."""
    found = ((item, container) for item in inventory.running if item.kind in LASTING for container in item.containers)
    made = (Database(item, str(c.get("name", "")), engine) for item, c in found if (engine := _engine(c)))
    return tuple({database.file: database for database in made}.values())


def _engine(container: Mapping[str, Any]) -> Engine | None:
    if container.get("role") == "init":
        return None
    name = re.sub(r"(:[^:/]*)?(@.*)?$", "", str(container.get("image", "")))
    starts = container.get("starts")
    return next((e for e in ENGINES if e.image.search(name) and (starts is None or starts in e.starts)), None)


def data_of(before: Inventory, after: Inventory) -> Data:
    """What the two inventories say of the application's data; claims by their names on AKS."""
    held = databases(after)
    owners = {d.key for d in held}
    kinds: dict[str, list[Claim]] = {"copied": [], "dumped": [], "shared": [], "raw": []}
    for claim in claims(after):
        if claim.users and all((user.namespace, user.name) in owners for user in claim.users):
            kinds["dumped"].append(claim)
        elif _is_same_storage(claim, before, after):
            kinds["shared"].append(claim)
        else:
            kinds["raw" if claim.facts.get("block") else "copied"].append(claim)
    return Data(held, **{kind: tuple(found) for kind, found in kinds.items()})


@lru_cache(maxsize=2)
def claims(inventory: Inventory) -> tuple[Claim, ...]:
    """Every claim once, those that StatefulSets make included: `<template>-<set>-<number>`."""
    found: dict[tuple[str | None, str], Claim] = {}
    mounting = grouped(((name, i) for i in inventory.running for name in dict.fromkeys(i.facts.get("claims", ()))), lambda pair: pair[0])
    for item in inventory.of("PersistentVolumeClaim"):
        users = tuple(i for _, i in mounting.get(item.name, ()) if _together(i, item))
        found.setdefault((item.namespace, item.name), Claim(item.name, item.namespace, item.file, item.facts, users))
    for item in inventory.of("StatefulSet"):
        for claim in _templated(item):
            found.setdefault((claim.namespace, claim.name), claim)
    return tuple(sorted(found.values(), key=lambda c: (c.namespace or "", c.name)))


@lru_cache(maxsize=2)
def claims_by_name(inventory: Inventory) -> Mapping[str, list[Claim]]:
    """The same by name; those of several namespaces may have one."""
    return grouped(claims(inventory), lambda claim: claim.name)


def _templated(item: Item) -> Iterator[Claim]:
    for template in item.facts.get("templates", ()):
        for number in range(max(item.facts.get("replicas", 1), 1)):
            name = f"{template.get('name')}-{item.name}-{number}"
            yield Claim(name, item.namespace, item.file, template, (item,))


def _together(one: Item, other: Item) -> bool:
    return one.namespace == other.namespace or None in (one.namespace, other.namespace)


def _is_same_storage(claim: Claim, before: Inventory, after: Inventory) -> bool:
    """Whether the claim is tied to a volume over the network that the old cluster used too: a copy would be onto itself."""
    new = volume_of(claim, after)
    old = before.find("PersistentVolume", None, new.name) if new else None
    if new is None or old is None or new.facts.get("source") in (None, *NODE_LOCAL):
        return False
    return all(new.facts.get(fact) == old.facts.get(fact) for fact in ("source", "where"))


def volume_of(claim: Claim, inventory: Inventory) -> Item | None:
    """The volume of the run that a claim is, or may be, bound to: by name, or by a class that the run brings no provisioner for."""
    volumes = inventory.of("PersistentVolume")
    named = claim.facts.get("volume")
    own = {c.name for c in inventory.of("StorageClass")}
    by_class = claim.facts.get("class", "") if claim.facts.get("static") or claim.facts.get("class") else None
    matches: Iterable[Item] = (v for v in volumes if v.name == named or v.facts.get("claim") == claim.name)
    loose = (v for v in volumes if by_class is not None and v.facts.get("class", "") == by_class and by_class not in own)
    return next(iter((*matches, *loose)), None)
