"""Which names a template declares and which it uses: what a Bicep compiler complains of first, read with the grammar that editors use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

FUNCTIONS = {
    f"{name}()"
    for name in (
        *("concat", "empty", "environment", "filter", "guid", "items", "json", "loadTextContent", "replace", "resourceGroup"),
        *("subscription", "subscriptionResourceId", "toLower", "union", "uniqueString"),
    )
}
"""The functions of Bicep that infra/ calls."""
_DECLARATIONS = ("parameter_declaration", "variable_declaration", "resource_declaration", "module_declaration")
_LOOPS = ("loop_variable", "loop_enumerator")


@cache
def tree(text: str) -> Node:
    """The root of the parsed text; `has_error` says whether it is Bicep."""
    return Parser(Language(tree_sitter_bicep.language())).parse(text.encode()).root_node


def declared(text: str) -> set[str]:
    """Parameters, variables, resources and modules."""
    return {_text(_name(node)) for node in tree(text).children if node.type in _DECLARATIONS}


def used(text: str) -> list[str]:
    """Every name in an expression, as often as it stands there, functions with `()`, without those that a loop or a lambda brings."""
    return [name for name, scope in _names(tree(text), frozenset()) if name not in scope]


def _names(node: Node, scope: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    scope |= _brought(node)
    for child in node.children:
        if child.type == "decorator":
            continue
        if child.type == "identifier" and not _is_label(node, child):
            called = node.type == "call_expression" and child == node.children[0]
            yield f"{_text(child)}()" if called else _text(child), scope
        yield from _names(child, scope)


def _brought(node: Node) -> frozenset[str]:
    """What a loop or a lambda names for what is inside it."""
    if node.type == "for_statement":
        inside = [leaf for child in node.children if child.type == "for_loop_parameters" for leaf in child.children if leaf.type in _LOOPS]
        return frozenset(_text(leaf) for leaf in inside or [_name(node)])
    if node.type == "lambda_expression":
        return frozenset([_text(_name(node))])
    return frozenset()


def _is_label(parent: Node, child: Node) -> bool:
    """Whether a name names the thing itself: a declaration, a key, the variable of a loop."""
    named = (*_DECLARATIONS, "output_declaration", "object_property", "for_statement", "lambda_expression")
    single = parent.type != "for_statement" or not any(other.type == "for_loop_parameters" for other in parent.children)
    return parent.type in named and single and child == _name(parent)


def _name(node: Node) -> Node:
    return next(child for child in node.children if child.type == "identifier")


def _text(node: Node) -> str:
    return (node.text or b"").decode()
