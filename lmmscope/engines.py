"""The engines that can serve a model here: where each is installed, and how it is called.

Knows command lines and folders, and which a profile asks for; it starts nothing. SGLang and vLLM
pin versions of torch and transformers that are not ours, so each lives in a virtual environment of
its own.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from lmmscope.invocation import python
from sae_core.errors import UserError

if TYPE_CHECKING:
    from lmmscope.settings import Settings

Engine = Literal["sglang", "vllm", "transformers"]
OURS: Engine = "transformers"
"""The one that runs in our own environment; the extra `serve` brings what it needs."""
CHECKOUT = Path(__file__).parents[1]
HOST, PORT = "127.0.0.1", 30000
"""Where a server listens if the profile says nothing of it."""


class Listening(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


def first_role(settings: Settings, role: str) -> str:
    """The first role of the same model at the same address: it is started once, whoever asks."""
    given = settings.servers.given()
    playing = {one: (given[one], served_model(settings, one)) for one in given}
    return next((one for one in playing if playing[one] == playing.get(role)), role)


def served_model(settings: Settings, role: str) -> str | None:
    """The model that a role's server is asked for; else the one that it stands in for."""
    server = getattr(settings.servers, role)
    return (server.model if server else None) or getattr(settings.models, role, None)


def is_here(url: str) -> bool:
    """Whether a server at this address would run on this machine."""
    parts = urlsplit(url)
    return parts.hostname in ("localhost", "127.0.0.1", "::1") and parts.scheme == "http"


def listening(settings: Settings, role: str) -> Listening:
    """Where the profile looks for a role's server, if that is on this machine."""
    server = getattr(settings.servers, role)
    for url in server.addresses if server else ():
        if is_here(url):
            parts = urlsplit(url)
            host = "::1" if parts.hostname == "::1" else HOST
            return Listening(host, parts.port or 80)
    return Listening(HOST, PORT)


def environment_of(engine: Engine) -> Path:
    """The virtual environment that an engine is looked for in where no other is named."""
    if engine == OURS:
        return Path(sys.prefix)
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "lmmscope" / engine


def command_of(
    engine: Engine,
    environment: Path,
    model: str,
    *,
    host: str,
    port: int,
    options: Sequence[str] = (),
) -> list[str]:
    """The command line that serves a model; its options come last, so they have the last word."""
    if engine not in get_args(Engine):
        raise UserError(f"No engine {engine!r}. Known: {', '.join(get_args(Engine))}. Choose one")
    script = environment / "bin" / engine
    named = ["--model-path", model] if engine == "sglang" else [model]
    return [str(script), "serve", *named, "--host", host, "--port", str(port), *options]


def check_installed(engine: Engine, environment: Path) -> None:
    """Refuse to start what is not there."""
    script = environment / "bin" / engine
    if not script.is_file():
        raise UserError(f"No {engine} at {script}. Try {installing(engine, environment)}")


def variables_of(model: str) -> dict[str, str]:
    """The variables that an engine gets, too: a model in a folder needs no hub, and no network."""
    return {"HF_HUB_OFFLINE": "1"} if Path(model).is_dir() else {}


def make_hub_cache() -> None:
    """Transformers' server can't say which models it has where the hub's cache does not exist."""
    from huggingface_hub.constants import HF_HUB_CACHE

    Path(HF_HUB_CACHE).mkdir(parents=True, exist_ok=True)


def url_of(host: str, port: int) -> str:
    """Where a server that listens there is reached from here."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def installing(engine: Engine, environment: Path) -> str:
    """The command that installs an engine."""
    if engine == OURS:
        return f"{python()} -m pip install 'lmmscope[serve]'"
    folder = shlex.quote(str(environment))
    needed = shlex.quote(str(CHECKOUT / f"requirements-{engine}.txt"))
    return f"{python()} -m venv {folder} && {folder}/bin/pip install -r {needed}"
