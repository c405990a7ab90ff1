"""Blobs of this machine in one SQLite file: what the command line keeps of a language model (answers, sums of tokens) without an account.

SQLite makes each write whole, and safe beside other processes that use the same file.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from shared.domain.errors import CriticalError, TransientError, ValidationError
from shared.domain.ports import BlobInfo

_WAIT = 30.0  # seconds for another process to finish its write
_TABLE = "CREATE TABLE IF NOT EXISTS blobs (container TEXT, name TEXT, data BLOB, etag TEXT, modified REAL, PRIMARY KEY (container, name))"
_HERE = "container = ? AND name = ?"


class LocalStore:
    """A BlobStore (shared.domain.ports) in a file, which nobody else on the machine may read. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            with contextlib.closing(sqlite3.connect(self._path, timeout=_WAIT)) as connection, connection:
                connection.execute(_TABLE)
                yield connection
        except sqlite3.OperationalError as error:
            raise TransientError(f"{self._path} cannot be used now: {error}") from error
        except (sqlite3.Error, OSError) as error:
            raise CriticalError(f"{self._path} cannot be used; delete it to begin anew") from error

    def read(self, container: str, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        with self._open() as db:
            found = db.execute(f"SELECT length(data), etag FROM blobs WHERE {_HERE}", (container, name)).fetchone()  # noqa: S608
            if found is None:
                return None
            if found[0] > max_bytes:
                raise ValidationError(f"{name} has {found[0]} bytes; the limit is {max_bytes}")
            data, etag = db.execute(f"SELECT data, etag FROM blobs WHERE {_HERE}", (container, name)).fetchone()  # noqa: S608
        return bytes(data), str(etag)

    def write(self, container: str, name: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None) -> bool:
        row = {"c": container, "n": name, "d": data, "e": secrets.token_hex(8), "t": time.time(), "was": if_match}
        columns, values = "(container, name, data, etag, modified)", "(:c, :n, :d, :e, :t)"
        with self._open() as db:
            if if_match is not None:
                change = "UPDATE blobs SET data = :d, etag = :e, modified = :t WHERE container = :c AND name = :n AND etag = :was"
            else:
                change = f"INSERT OR {'IGNORE' if if_absent else 'REPLACE'} INTO blobs {columns} VALUES {values}"  # noqa: S608
            return db.execute(change, row).rowcount == 1

    def list(self, container: str, prefix: str, *, limit: int | None = None) -> Iterator[BlobInfo]:
        ask = "SELECT name, etag, length(data), modified FROM blobs WHERE container = ? AND substr(name, 1, ?) = ? ORDER BY name LIMIT ?"
        with self._open() as db:
            found = db.execute(ask, (container, len(prefix), prefix, -1 if limit is None else limit)).fetchall()
        return (BlobInfo(*row) for row in found)

    def list_prefixes(self, container: str, prefix: str) -> Iterator[str]:
        rest = (blob.name[len(prefix) :].partition("/") for blob in self.list(container, prefix))
        return iter(dict.fromkeys(f"{prefix}{first}/" for first, slash, _ in rest if slash))

    def copy(self, source: tuple[str, BlobInfo], target: tuple[str, str]) -> bool:
        copied = f"SELECT ?, ?, data, ?, ? FROM blobs WHERE {_HERE} AND etag = ?"  # noqa: S608
        values = (*target, secrets.token_hex(8), time.time(), source[0], source[1].name, source[1].etag)
        with self._open() as db:
            return db.execute(f"INSERT OR REPLACE INTO blobs {copied}", values).rowcount == 1

    def delete(self, container: str, name: str) -> None:
        with self._open() as db:
            db.execute(f"DELETE FROM blobs WHERE {_HERE}", (container, name))  # noqa: S608
