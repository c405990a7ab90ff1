"""The one table of settings: what there is, what it is for, what stands there where nobody sets it, and the bounds of numbers.

The loaders read the bounds from here; docs/settings.md is written from it, and tests hold local.settings.sample.json and the templates for
Azure against it. Secrets are told by the name of their variable; in a Key Vault that is written in lower case with dashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shared.environment import NumberSetting

Kind = Literal["text", "address", "choice", "number", "price", "secret"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, or one secret."""

    name: str
    what: str
    """For a person, in one sentence."""
    default: str = ""
    """Empty: nothing, or what `what` says."""
    kind: Kind = "text"
    example: str = ""
    """A value that would be taken; angle brackets stand for what only the installation knows."""
    field: str = ""
    """Of a number: the field that it is for, and its bounds."""
    smallest: int = 0
    largest: int = 0
    local: bool = True
    """Whether it has a line in local.settings.json."""

    @property
    def secret(self) -> bool:
        """Whether it is kept in the Key Vault, where there is one, and is told nowhere."""
        return self.kind == "secret"

    @property
    def vault_name(self) -> str:
        """Its name in a Key Vault."""
        return self.name.lower().replace("_", "-")

    @property
    def kind_and_bounds(self) -> str:
        """The kind in words, with the bounds of a number."""
        return f"number, {self.smallest} to {self.largest}" if self.kind == "number" else self.kind


def _number(name: str, field: str, default: int, smallest: int, largest: int, what: str) -> Setting:
    return Setting(name, what, str(default), "number", str(default), field, smallest, largest)


def _address(name: str, what: str, example: str, default: str = "", *, local: bool = True) -> Setting:
    return Setting(name, what, default, "address", example, local=local)


def _choice(name: str, default: str, what: str, example: str, *, local: bool = True) -> Setting:
    return Setting(name, what, default, "choice", example, local=local)


def _secret(name: str, what: str) -> Setting:
    return Setting(name, what, kind="secret")


STORAGE = (
    Setting(
        "STORAGE",
        "Connection string of the storage account; on a developer's machine that of Azurite.",
        example="UseDevelopmentStorage=true",
    ),
    Setting("STORAGE__accountName", "The storage account by its name, in place of the two addresses.", example="<account>", local=False),
    _address("STORAGE__blobServiceUri", "Its blob service, asked as the identity.", "https://<account>.blob.core.windows.net", local=False),
    _address("STORAGE__queueServiceUri", "Its queue service.", "https://<account>.queue.core.windows.net", local=False),
    Setting("STORAGE__clientId", "The client id of a user-assigned identity.", example="<client id of the identity>", local=False),
    _choice("STORAGE__credential", "", "For the host alone: `managedidentity` where it works as one.", "managedidentity", local=False),
    _choice(
        "BLOB_TRIGGER_SOURCE", "LogsAndContainerScan", "How the host learns of uploads: `LogsAndContainerScan` or `EventGrid`.", "EventGrid"
    ),
)
RUNS = (
    # A quiet period under a second would race with a listing's whole-second times.
    _number("RUN_QUIET_SECONDS", "quiet_seconds", 10, 1, 86_400, "A run of an uploaded folder begins when nothing came for so long."),
    _number("BATCH_BYTES", "batch_bytes", 256 * 1024, 1, 64 * 1024 * 1024, "How much of a run goes into one message."),
    _number("MAX_FILE_BYTES", "file_bytes", 20_000_000, 1024, 100 * 1024 * 1024, "A larger file is refused."),
    _number("MAX_RUN_BYTES", "run_bytes", 200_000_000, 1024, 1024 * 1024 * 1024, "A larger application is refused."),
    _number("MAX_UPLOAD_BYTES", "upload_bytes", 100 * 1024 * 1024, 1024, 100 * 1024 * 1024, "The largest body of `POST /api/runs`."),
    _number("SWEEP_AFTER_SECONDS", "sweep_after_seconds", 60, 0, 86_400, "The timer looks after a run that stands still for so long."),
    _number("STUCK_AFTER_SECONDS", "stuck_after_seconds", 1800, 60, 7 * 86_400, "People are told of a run that stands still for so long."),
    _address(
        "REPORT_URL",
        "Where people read a report, with `{runId}` in it; otherwise the address of the app.",
        "https://<app>/api/runs/{runId}/report?format=html",
    ),
    Setting("WEBSITE_HOSTNAME", "The host name of the app; the platform sets it.", example="<app>.azurewebsites.net", local=False),
)
MONITORING = (
    Setting(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "Where traces and metrics go; without it nowhere.",
        example="InstrumentationKey=<id>;IngestionEndpoint=https://<region>.in.applicationinsights.azure.com/",
        local=False,
    ),
)
VAULT = (
    _address(
        "KEY_VAULT_URI", "The Key Vault with the secrets; without one they are in the environment.", "https://<vault>.vault.azure.net"
    ),
    _number("SECRET_CACHE_SECONDS", "secret_seconds", 300, 0, 86_400, "How long a secret is used before it is read again."),
)
GITHUB = (
    _address(
        "GITHUB_API_URL",
        "GitHub's API; `https://<host>/api/v3` of an Enterprise Server.",
        "https://api.github.com",
        "https://api.github.com",
    ),
    _number("GITHUB_PAUSE_SECONDS", "github_pause", 1, 0, 60, "Between two writes, as GitHub asks."),
    _secret("GITHUB_WEBHOOK_SECRET", "Signs the deliveries of GitHub's webhook."),
    _secret("GITHUB_TOKEN", "A fine-grained token, where no App is used."),
    _secret("GITHUB_APP_ID", "The number of the GitHub App."),
    _secret("GITHUB_APP_PRIVATE_KEY", "Its private key, in PEM form."),
)
SLACK = (
    _choice("SLACK", "off", "`off`, `bot` or `webhook`.", "bot"),
    Setting("SLACK_CHANNEL", "The id of the channel that a bot writes to.", example="C0123456789"),
    _address("SLACK_API_URL", "The base of Slack's API.", "https://slack.com/api/", "https://slack.com/api/", local=False),
    _secret("SLACK_BOT_TOKEN", "The token of the bot."),
    _secret("SLACK_WEBHOOK_URL", "The address of the incoming webhook."),
)
SEARCH = (
    _address(
        "SEARCH_ENDPOINT",
        "Azure AI Search; without it the knowledge base is indexed in the container `cache`.",
        "https://<service>.search.windows.net",
    ),
    Setting("SEARCH_INDEX", "The name of the index there.", "aks-copilot", example="aks-copilot"),
    _choice("SEARCH_AUTH", "identity", "`identity` or `key`.", "identity"),
    _secret("SEARCH_API_KEY", "The key, where `SEARCH_AUTH` is `key`."),
)
MODEL = (
    _choice("LLM_MODE", "", "`off`, `suggest` or `apply`; `suggest` where an address is set, else `off`.", "suggest"),
    _address("LLM_BASE_URL", "Where the model is, up to `/chat/completions`.", "https://<resource>.openai.azure.com/openai/v1"),
    Setting("LLM_MODEL", "Its name; on Azure that of the deployment.", example="<deployment>"),
    _choice("LLM_AUTH", "", "`identity`, `key` or `none`; by the address where it is not set.", "identity"),
    _secret("LLM_API_KEY", "The key, where `LLM_AUTH` is `key`."),
    _number("LLM_TIMEOUT_SECONDS", "timeout", 60, 1, 600, "For one whole answer."),
    _number("LLM_TRIES", "tries", 3, 1, 10, "How often a question is asked while the service is out."),
    _number("LLM_CONCURRENCY", "concurrency", 4, 1, 100, "Questions that one instance asks at once."),
    _number("LLM_ANSWER_TOKENS", "answer_tokens", 2_000, 100, 100_000, "The longest answer."),
    Setting(
        "LLM_EMBEDDING_MODEL",
        "The deployment that makes vectors of the knowledge base; without one the program makes its own.",
        example="<deployment>",
    ),
    _number("LLM_EMBEDDING_DIMENSIONS", "embedding_dimensions", 1536, 2, 4096, "The length of its vectors."),
    _number("LLM_TOKENS_PER_VIOLATION", "violation", 30_000, 0, 10**7, "Tokens that one finding may cost, questions and answers together."),
    _number("LLM_TOKENS_PER_RUN", "run", 400_000, 0, 10**9, "Tokens that a run may cost."),
    _number("LLM_TOKENS_PER_DAY", "day", 4_000_000, 0, 10**11, "Tokens of all runs on a day, by UTC."),
    Setting("LLM_PRICE_PROMPT", "What a million tokens of questions cost; the cost is then told.", "", "price", "0.40"),
    Setting("LLM_PRICE_ANSWER", "What a million tokens of answers cost.", "", "price", "1.60"),
    Setting("LLM_INTERNAL_HOSTS", "Host names and domains that never leave, with commas between.", example="corp.example.com"),
)
GROUPS: dict[str, tuple[Setting, ...]] = {
    "Storage": STORAGE,
    "Runs": RUNS,
    "Monitoring": MONITORING,
    "Secrets": VAULT,
    "GitHub": GITHUB,
    "Slack": SLACK,
    "Knowledge base": SEARCH,
    "Language model": MODEL,
}
"""Every setting by the heading under which docs/settings.md shows it."""
BY_NAME = {setting.name: setting for group in GROUPS.values() for setting in group}


def bounds(*groups: tuple[Setting, ...]) -> Iterator[NumberSetting]:
    """The numbers of groups, as shared.environment.numbers takes them."""
    return ((s.name, s.field, s.smallest, s.largest) for group in groups for s in group if s.kind == "number")


def how_to_set(problem: str) -> str:
    """A problem of the loaders, which begins with the setting's name, and a line that would mend it."""
    setting = BY_NAME.get(problem.split(" ", 1)[0])
    if setting is None or not setting.example:
        return problem
    return f"{problem}; for example {setting.name}={setting.example}"
