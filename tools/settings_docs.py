"""Writes docs/settings.md from shared/setting_table.py. `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from generated import DOCS, write_or_check

from shared.setting_table import GROUPS, Setting

PAGE = DOCS / "settings.md"
HEAD = """\
# Settings

<!-- Written by tools/settings_docs.py from shared/setting_table.py; `make docs` writes it again. -->

The function app and the commands that speak to it read these variables of the environment. On a developer's machine they stand in
`local.settings.json` (copy `local.settings.sample.json`); in Azure they are app settings (`infra/settings.bicep`, other values by
the parameter `settingOverrides`). An empty one is its default. What is missing or wrong is told all at once and never with its
value, by the first function that runs (log, `/api/health`) and by every command; `aks-copilot doctor` tells it too, and tries what the
settings lead to ([doctor.md](doctor.md)).

A **secret** is never an app setting in Azure: it lies in the Key Vault, under its name in lower case with dashes (`github-webhook-secret`).
"""


def page() -> str:
    """The whole page: a table for each group."""
    return HEAD + "".join(f"\n## {title}\n\n{table(group)}" for title, group in GROUPS.items())


def table(group: tuple[Setting, ...]) -> str:
    """One row per setting."""
    return "\n".join(["| setting | default | kind | what for |", "|---|---|---|---|", *rows(group)]) + "\n"


def rows(group: tuple[Setting, ...]) -> Iterator[str]:
    """Name, default, kind with bounds, purpose."""
    for setting in group:
        default = f"`{setting.default}`" if setting.default else ""
        yield f"| `{setting.name}` | {default} | {setting.kind_and_bounds} | {setting.what} |"


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, page(), "shared/setting_table.py says", sys.argv[1:]))
