"""Settings of the language model, apart from those of the storage: the command line has a model without having an account.

Their names begin with LLM_ and not with OPENAI_: what another tool has in its environment must never send manifests anywhere.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from shared.domain.language_model import Usage
from shared.environment import Environment, Problem, SettingsError, choice, numbers, text
from shared.setting_table import MODEL, bounds

Mode = Literal["off", "suggest", "apply"]
Auth = Literal["identity", "key", "none"]
MODES: tuple[Mode, ...] = ("off", "suggest", "apply")
AUTHS: tuple[Auth, ...] = ("identity", "key", "none")
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """How many tokens (questions and answers together) may be spent."""

    violation: int = 30_000
    """Three tries with their snippets; the repair loop asks about 6 000 each, most of it the question."""
    run: int = 400_000
    day: int = 4_000_000
    """Of all runs, by UTC."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in the currency of the contract; 0 where it is not set, and then no cost is told."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, usage: Usage) -> float | None:
        """What an answer costs; None where no price is set."""
        if not self.prompt and not self.completion:
            return None
        return round((usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion) / 1e6, 6)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """`base_url` ends where `/chat/completions` begins. With `off` nothing else is set."""

    mode: Mode = "off"
    base_url: str = ""
    model: str = ""
    """The name of the model; on Azure that of its deployment."""
    auth: Auth = "none"
    """`identity`: a token of the managed identity; `key`: the secret `llm-api-key`; `none`: a server of one's own."""
    timeout: int = 60
    """Seconds for one whole answer."""
    tries: int = 3
    concurrency: int = 4
    """Questions that one instance asks at once."""
    answer_tokens: int = 2_000
    embedding_model: str = ""
    """Of the knowledge base, at the same address; empty: the program's own vectors, which need no service."""
    embedding_dimensions: int = 1536
    """The length of its vectors."""
    hosts: tuple[str, ...] = ()
    """Internal host names and domains, which do not leave (LLM_INTERNAL_HOSTS)."""
    limits: TokenLimits = field(default_factory=TokenLimits)
    prices: Prices = field(default_factory=Prices)


_LIMITS = ("violation", "run", "day")


def load_model_settings(environment: Environment | None = None) -> ModelSettings:
    """Read the environment. Raises SettingsError naming every missing or wrong setting in one line, without its value."""
    env = os.environ if environment is None else environment
    problems: list[str] = []
    base, model = text(env, "LLM_BASE_URL").rstrip("/"), text(env, "LLM_MODEL")
    mode = choice(env, "LLM_MODE", MODES, "suggest" if base or model else "off", problems.append)
    if mode == "off" and not problems:
        return ModelSettings()
    auth = choice(env, "LLM_AUTH", AUTHS, _usual_auth(base), problems.append)
    _check_place(base, model, problems.append)
    rest = cast(dict[str, Any], numbers(env, bounds(MODEL), problems.append))
    prices = Prices(*(_price(env, name, problems.append) for name in ("LLM_PRICE_PROMPT", "LLM_PRICE_ANSWER")))
    hosts = _internal(text(env, "LLM_INTERNAL_HOSTS"), problems.append)
    if problems:
        raise SettingsError(problems)
    limits = TokenLimits(**{name: rest.pop(name) for name in _LIMITS if name in rest})
    embedding = text(env, "LLM_EMBEDDING_MODEL")
    return ModelSettings(
        cast(Mode, mode), base, model, cast(Auth, auth), embedding_model=embedding, hosts=hosts, limits=limits, prices=prices, **rest
    )


def _host(base: str) -> str:
    try:
        return urlsplit(base).hostname or ""
    except ValueError:
        return ""


def _usual_auth(base: str) -> Auth:
    host = _host(base)
    return "identity" if host.endswith(_AZURE) else "none" if host in _HERE else "key"


def _check_place(base: str, model: str, problem: Problem) -> None:
    if not model:
        problem("LLM_MODEL is missing")
    if not base:
        problem("LLM_BASE_URL is missing")
        return
    host = _host(base)
    if not host or not base.startswith(("https://", "http://")) or (base.startswith("http://") and host not in _HERE):
        problem("LLM_BASE_URL must start with https:// (http:// for this machine alone)")
    elif "@" in base or "?" in base or "#" in base:
        problem("LLM_BASE_URL must hold no login, query or fragment")
    elif host.endswith(_AZURE) and not base.endswith("/openai/v1"):
        problem("LLM_BASE_URL must end with /openai/v1 on Azure")


def _internal(given: str, problem: Problem) -> tuple[str, ...]:
    """Names between commas or blanks; `*.corp.example.com` and `corp.example.com` mean the same."""
    names = tuple(dict.fromkeys(n.lower().removeprefix("*").strip(".") for n in given.replace(",", " ").split()))
    if not all(_NAME.fullmatch(n) for n in names):
        problem("LLM_INTERNAL_HOSTS must be host names or domains with commas between")
    return names


def _price(env: Environment, name: str, problem: Problem) -> float:
    try:
        value = float(text(env, name) or "0")
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e6:
        problem(f"{name} must be a price for a million tokens")
        return 0.0
    return value
