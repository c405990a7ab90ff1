"""The match rules of Traefik routers (v2 and v3 syntax) as alternatives of an HTTPRoute's matches.

Facts: guide/aks_facts_source.md 5.3 (grammar and table of atoms). A rule is read into a disjunction of conjunctions; each conjunction
is one host and one HTTPRouteMatch. Atoms without an exact equivalent raise CannotConvert by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.convert.base import CannotConvert
from shared.domain.convert.httproute import hostname, path_value

TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z]+)|(?P<text>`[^`]*`|\"(?:[^\"\\]|\\.)*\")|(?P<sign>&&|\|\||!|\(|\)|,))")
TEMPLATE = re.compile(r"(?<!\$)\{")
FREE_LABEL = re.compile(r"(?:\{\w+:(?:\[[^\]]*\][+]|\.\+)\}|\^(?:\[[^\]]*\][+]|\.\+))((?:\\?\.[A-Za-z0-9-]+)+)\$?")
ALTERNATIVES_LIMIT = 64

Atom = tuple[str, tuple[str, ...]]


@dataclass
class Alternative:
    """One conjunction of a rule: a host and what an HTTPRouteMatch says. `wide_host`: the host stood as a pattern."""

    host: str | None = None
    match: dict[str, Any] = field(default_factory=dict)
    wide_host: bool = False

    @property
    def prefix(self) -> str | None:
        """The path prefix, `/` where the rule names no path, None for an exact path."""
        path = self.match.get("path")
        if path is None:
            return "/"
        return str(path["value"]) if path["type"] == "PathPrefix" else None


def read_rule(rule: str, path: str) -> list[Alternative]:
    """The alternatives of a rule. Raises CannotConvert for what an HTTPRoute cannot say, naming it."""
    parser = _Parser(list(_tokens(rule, path)), path)
    found = [_alternative(atoms, path) for atoms in parser.whole()]
    unique: list[Alternative] = []
    for item in found:
        if item not in unique:
            unique.append(item)
    return unique


def _tokens(rule: str, path: str) -> Iterator[str]:
    position, text = 0, rule.strip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise CannotConvert(f"the rule cannot be read near {text[position : position + 20]!r}", path=path)
        yield match.group(0).strip()
        position = match.end()


class _Parser:
    """Recursive descent over `||`, `&&`, parentheses and matchers; the result is in disjunctive normal form."""

    def __init__(self, tokens: Sequence[str], path: str) -> None:
        self._tokens, self._path, self._at = list(tokens), path, 0

    def whole(self) -> list[list[Atom]]:
        found = self._any()
        if self._at < len(self._tokens):
            raise self._error()
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, token: str = "") -> str:
        found = self._peek()
        if not found or (token and found != token):
            raise self._error()
        self._at += 1
        return found

    def _error(self) -> CannotConvert:
        return CannotConvert(f"the rule cannot be read near {self._peek() or 'its end'!r}", path=self._path)

    def _any(self) -> list[list[Atom]]:
        found = self._all()
        while self._peek() == "||":
            self._take()
            found = found + self._all()
        return found

    def _all(self) -> list[list[Atom]]:
        found = self._one()
        while self._peek() == "&&":
            self._take()
            right = self._one()
            found = [a + b for a in found for b in right]
            if len(found) > ALTERNATIVES_LIMIT:
                raise CannotConvert("the rule has too many alternatives for an HTTPRoute", path=self._path)
        return found

    def _one(self) -> list[list[Atom]]:
        if self._peek() == "!":
            raise CannotConvert("the rule uses ! (not), which an HTTPRoute cannot say: it must name what it does mean", path=self._path)
        if self._peek() == "(":
            self._take()
            inner = self._any()
            self._take(")")
            return inner
        return self._matcher()

    def _matcher(self) -> list[list[Atom]]:
        name = self._take()
        self._take("(")
        arguments = [self._text()]
        while self._peek() == ",":
            self._take()
            arguments.append(self._text())
        self._take(")")
        if name in ("Host", "HostHeader", "HostRegexp", "Path", "PathPrefix", "Method"):
            return [[(name, (a,))] for a in arguments]
        return [[(name, tuple(arguments))]]

    def _text(self) -> str:
        token = self._take()
        if token[0] not in '`"':
            self._at -= 1
            raise self._error()
        return token[1:-1] if token[0] == "`" else re.sub(r"\\(.)", r"\1", token[1:-1])


def _alternative(atoms: Sequence[Atom], path: str) -> Alternative:
    found = Alternative()
    for name, arguments in atoms:
        if name in ("Host", "HostHeader", "HostRegexp"):
            _set_host(found, name, arguments[0], path)
        elif name in ("Path", "PathPrefix"):
            _set_path(found, name, arguments[0], path)
        elif name == "Method":
            _set_once(found, "method", arguments[0].upper(), path)
        elif name in ("Header", "Headers") and len(arguments) == 2:
            found.match.setdefault("headers", []).append({"type": "Exact", "name": arguments[0], "value": arguments[1]})
        elif name == "Query":
            found.match.setdefault("queryParams", []).append(_query(arguments, path))
        else:
            raise CannotConvert(f"the rule uses {name}, which an HTTPRoute cannot say", path=path)
    for key in ("headers", "queryParams"):
        names = [x["name"].lower() if key == "headers" else x["name"] for x in found.match.get(key, ())]
        if len(set(names)) < len(names):
            raise CannotConvert(f"the rule asks twice for {names[0]}", path=path)
    return found


def _set_host(found: Alternative, name: str, value: str, path: str) -> None:
    if name == "HostRegexp":
        wide = FREE_LABEL.fullmatch(value)
        if wide is None:
            raise CannotConvert("the rule uses HostRegexp, which an HTTPRoute cannot say", path=path)
        value, found.wide_host = f"*{wide[1]}".replace("\\", ""), True
    if value == "*" or TEMPLATE.search(value):
        raise CannotConvert("the rule means every host, or a host by a pattern: name the hosts", path=path)
    host = hostname(value, path)
    if found.host not in (None, host):
        raise CannotConvert("the rule asks for two hosts at once", path=path)
    found.host = host
    found.wide_host = found.wide_host or host.startswith("*.")


def _set_path(found: Alternative, name: str, value: str, path: str) -> None:
    if TEMPLATE.search(value):
        raise CannotConvert(f"the rule uses {name} with a pattern, which an HTTPRoute cannot say", path=path)
    _set_once(found, "path", {"type": "Exact" if name == "Path" else "PathPrefix", "value": path_value(value, path)}, path)


def _set_once(found: Alternative, key: str, value: Any, path: str) -> None:
    if found.match.setdefault(key, value) != value:
        raise CannotConvert(f"the rule asks for two values of {key} at once", path=path)


def _query(arguments: Sequence[str], path: str) -> dict[str, str]:
    """v3 `Query(k, v)`; v2 one string `k=v`."""
    name, sign, value = arguments[0].partition("=") if len(arguments) == 1 else (arguments[0], "=", arguments[1])
    if not sign or len(arguments) > 2 or "=" in name:
        raise CannotConvert("the rule uses Query in a way that an HTTPRoute cannot say", path=path)
    return {"type": "Exact", "name": name, "value": value}
