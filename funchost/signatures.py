"""Which converter a parameter gets, decided as the Python worker decides it (azure_functions_runtime functions.py).

Only what this host serves: one trigger parameter, an optional ``context`` and an optional ``$return``.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from funchost.errors import ConfigurationError

GENERIC = "generic"


@dataclass(frozen=True)
class Signature:
    """How to call one function: converter names are binding types or ``generic``."""

    name: str
    call: Callable[..., Any]
    directory: str
    is_async: bool
    wants_context: bool
    parameter: str
    converter: str
    return_converter: str | None
    return_type: type | None


def read_signature(function: Any, registry: Any) -> Signature:
    """The signature of an indexed azure.functions Function; raises ConfigurationError where the worker raises FunctionLoadError."""
    call = function.get_user_function()
    name = function.get_function_name()
    annotations = typing.get_type_hints(call)
    parameters = set(inspect.signature(call).parameters)
    bindings = {binding.name: binding for binding in function.get_bindings()}
    returned = bindings.pop("$return", None)
    wants_context = "context" in parameters and "context" not in bindings
    if wants_context:
        _check_context(name, annotations)
        parameters.discard("context")
    _check_names(name, parameters, set(bindings))
    trigger = function.get_trigger()
    return Signature(
        name=name,
        call=call,
        directory=str(Path(inspect.getfile(call)).parent),
        is_async=inspect.iscoroutinefunction(call),
        wants_context=wants_context,
        parameter=trigger.name,
        converter=_input_converter(name, trigger, annotations.get(trigger.name), registry),
        return_converter=_return_converter(name, returned, annotations, registry),
        return_type=annotations.get("return"),
    )


def _check_context(name: str, annotations: dict[str, Any]) -> None:
    annotation = annotations.get("context")
    if annotation is not None and (not isinstance(annotation, type) or annotation.__name__ != "Context"):
        raise ConfigurationError(f"function {name}: the context parameter must be azure.functions.Context, not {annotation!r}")


def _check_names(name: str, parameters: set[str], bound: set[str]) -> None:
    if parameters - bound:
        raise ConfigurationError(f"function {name}: parameters without a binding: {', '.join(sorted(parameters - bound))}")
    if bound - parameters:
        raise ConfigurationError(f"function {name}: bindings without a parameter: {', '.join(sorted(bound - parameters))}")


def _input_converter(name: str, trigger: Any, annotation: Any, registry: Any) -> str:
    """``str`` and ``bytes`` parameters get the generic converter: the text itself instead of a message object."""
    if annotation is None:
        return str(trigger.type)
    if not isinstance(annotation, type):
        raise ConfigurationError(f"function {name}: parameter {trigger.name} has an invalid annotation {annotation!r}")
    if annotation in (str, bytes):
        return GENERIC
    converter = registry.get(trigger.type)
    if converter is None or not converter.check_input_type_annotation(annotation):
        raise ConfigurationError(f"function {name}: {trigger.type} cannot be bound to {annotation.__name__}")
    return str(trigger.type)


def _return_converter(name: str, returned: Any, annotations: dict[str, Any], registry: Any) -> str | None:
    if returned is None:
        return None
    annotation = annotations.get("return")
    converter = registry.get(returned.type)
    if annotation is not None:
        if not isinstance(annotation, type):
            raise ConfigurationError(f"function {name} has an invalid return annotation {annotation!r}")
        if not converter.check_output_type_annotation(annotation):
            raise ConfigurationError(f"function {name}: return type {annotation.__name__} does not fit binding {returned.type}")
    return str(returned.type)
