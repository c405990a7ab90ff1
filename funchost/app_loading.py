"""Finds and imports ``function_app.py`` the way the Python worker does (its loader.py; the v2 programming model)."""

from __future__ import annotations

import importlib
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from funchost.errors import ConfigurationError

_SCRIPT_NAME = re.compile(r"^[a-zA-Z0-9_][a-zA-Z0-9_\-]*\.py$")


def script_path(app_root: Path) -> Path:
    """``function_app.py`` or what PYTHON_SCRIPT_FILE_NAME says; raises ConfigurationError when there is no such file."""
    name = os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    if not _SCRIPT_NAME.match(name):
        raise ConfigurationError(f"PYTHON_SCRIPT_FILE_NAME must be a file name ending in .py, not {name!r}")
    path = app_root / name
    if not path.is_file():
        raise ConfigurationError(f"no {name} in {app_root}")
    return path


def add_app_root(app_root: Path) -> None:
    """Put the app root last on sys.path, never first (``python -m`` puts the working directory first).

    An app folder named like an installed package is shadowed in Azure, so it must be here too.
    """
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != app_root] + [str(app_root)]


def load_functions(app_root: Path) -> list[Any]:
    """Import the script as a top-level module and return ``get_functions()`` of its one function app.

    Raises ConfigurationError for whatever the import or the indexing raises, and for none or two apps.
    """
    path = script_path(app_root)
    add_app_root(app_root)
    try:
        module = importlib.import_module(path.stem)
        _check_origin(module, path)
        return list(_single_app(module, path.name).get_functions())
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(f"{path.name} cannot be loaded: {type(error).__name__}: {_one_line(error)}") from error


def _check_origin(module: ModuleType, path: Path) -> None:
    origin = Path(module.__file__ or "").resolve()
    if origin != path.resolve():
        raise ConfigurationError(f"import {path.stem} found {origin}, not {path}: another module of that name comes first on sys.path")


def _single_app(module: ModuleType, script: str) -> Any:
    """Attributes are counted, as the worker counts them: a second name for the same app is an error too."""
    from azure.functions import FunctionRegister  # noqa: PLC0415 - the app's own import decides which version is loaded

    apps = [value for name in dir(module) if isinstance(value := getattr(module, name, None), FunctionRegister)]
    if len(apps) > 1:
        raise ConfigurationError(f"{script} defines more than one function app at its top level")
    if not apps:
        raise ConfigurationError(f"{script} defines no function app (azure.functions.FunctionApp) at its top level")
    return apps[0]


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
