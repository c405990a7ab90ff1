"""The checks of an installation, in the order in which they are done: settings first, then storage, secrets, and services outside."""

from __future__ import annotations

import platform

import shared
from shared.doctor.installation import Installation
from shared.doctor.outsiders import OutsiderChecks
from shared.doctor.secrets import SecretChecks
from shared.doctor.storage import StorageChecks
from shared.domain.doctor import Check, Finding, failed, guarded, ok, skipped
from shared.domain.remedies import LOG_IN
from shared.setting_table import how_to_set

_SCOPE = "https://storage.azure.com/.default"
OF_THE_APP = (
    "blob storage", "queue storage", "clock", "containers", "queues", "blob rights", "queue rights", "events",
    "key vault", "secrets", "webhook secret", "github", "slack", "search",
)  # fmt: skip
"""What the settings of the app lead to; where those are wrong, none of it can be looked at."""


def checks_of(installation: Installation) -> list[Check]:
    """Every check; each name once, whatever the settings are."""
    app, model, secrets = installation.parts.app, installation.parts.model, SecretChecks(installation)
    outsiders = OutsiderChecks(installation, secrets)
    theirs = [_unset(name) for name in OF_THE_APP]
    if app is not None:
        storage = StorageChecks(app.storage, event_grid=installation.event_grid, create=installation.create)
        theirs = [*storage.checks(), *secrets.checks(), *outsiders.services(app)]
    asked = _unset("model") if model is None else outsiders.model(model)
    first = [
        Check("version", _version),
        Check("settings", lambda: _settings(installation)),
        Check("identity", lambda: _identity(installation)),
    ]
    return [*first, *theirs, asked, outsiders.app()]


def _unset(name: str) -> Check:
    return Check(name, lambda: skipped("its settings are wrong"), ("settings",))


def _version() -> Finding:
    return ok(f"aks-copilot {shared.__version__}, Python {platform.python_version()}")


def _settings(installation: Installation) -> Finding:
    problems = installation.parts.problems
    if problems:
        return failed(
            f"{len(problems)} missing or wrong", *(how_to_set(problem) for problem in problems), "docs/settings.md has all of them"
        )
    return ok("all can be used")


def _identity(installation: Installation) -> Finding:
    """One token stands for all: which of them is taken is the matter of later checks."""
    if not installation.by_identity:
        return skipped("nothing of Azure is asked as an identity")
    return guarded(lambda: _token(installation), lambda _: (LOG_IN,))


def _token(installation: Installation) -> Finding:
    from shared.adapters.model_key import IdentityKey  # noqa: PLC0415 - the SDK is slow to import

    IdentityKey(installation.credential(), _SCOPE, "Azure Storage").get()
    return ok("Entra ID gives it a token")
