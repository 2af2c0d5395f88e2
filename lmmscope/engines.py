"""The engines that can serve a model here: where each is installed, and how it is called.

Knows command lines and folders; it starts nothing. SGLang and vLLM pin versions of torch and
transformers that are not ours, so each lives in a virtual environment of its own.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from lmmscope.invocation import python
from sae_core.errors import UserError

Engine = Literal["sglang", "vllm", "transformers"]
OURS: Engine = "transformers"
"""The one that runs in our own environment; the extra `serve` brings what it needs."""
CHECKOUT = Path(__file__).parents[1]


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
    if not script.is_file():
        raise UserError(f"No {engine} at {script}. Try {installing(engine, environment)}")
    named = ["--model-path", model] if engine == "sglang" else [model]
    return [str(script), "serve", *named, "--host", host, "--port", str(port), *options]


def variables_of(model: str) -> dict[str, str]:
    """The variables that an engine gets: a model in a folder needs no hub, and no network."""
    variables = dict(os.environ)
    if Path(model).is_dir():
        variables["HF_HUB_OFFLINE"] = "1"
    return variables


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
