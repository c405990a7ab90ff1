"""Who may call: function, host and master keys, checked only when authentication is on (as Core Tools bypasses it locally).

Keys are settings here (``FUNCHOST_HOST_KEY``, ``FUNCHOST_MASTER_KEY``, ``FUNCHOST_SYSTEM_KEY``); in Azure they live in the
``azure-webjobs-secrets`` container.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from funchost.errors import ConfigurationError


@dataclass(frozen=True, repr=False)
class Keys:
    """The keys in force; without ``enabled`` every caller passes."""

    enabled: bool
    host: str = ""
    master: str = ""
    system: str = ""

    def allows(self, auth_level: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether a request may call a function of ``auth_level`` (anonymous, function, admin or system).

        The key comes from the ``x-functions-key`` header first, else from the ``code`` query parameter.
        """
        if not self.enabled or auth_level == "anonymous":
            return True
        given = headers.get("x-functions-key") or query.get("code") or ""
        accepted = {"function": (self.host, self.master), "system": (self.system, self.master)}.get(auth_level, (self.master,))
        return any(key and hmac.compare_digest(given.encode(), key.encode()) for key in accepted)


def read_keys(environ: Mapping[str, str], *, enabled: bool) -> Keys:
    """The keys from the settings; raises ConfigurationError when authentication is on and a key is missing."""
    if not enabled:
        return Keys(enabled=False)
    host, master = environ.get("FUNCHOST_HOST_KEY", ""), environ.get("FUNCHOST_MASTER_KEY", "")
    if not host or not master:
        raise ConfigurationError("authentication is on: set FUNCHOST_HOST_KEY and FUNCHOST_MASTER_KEY")
    return Keys(enabled=True, host=host, master=master, system=environ.get("FUNCHOST_SYSTEM_KEY", ""))
