"""`lmmscope serve`: run a model server for a role until it is told to stop.

It waits and prints; engines know command lines, the child knows processes.
"""

from __future__ import annotations

import json
import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from lmmscope.options import Profile
from sae_core.errors import UserError

if TYPE_CHECKING:
    from lmmscope.child import Child, Stop
    from lmmscope.engines import Engine
    from lmmscope.settings import Settings

HEALTH_TIMEOUT = 3.0
"""Longer than SGLang takes to try out a token, which is how it answers."""


def serve(
    role: Annotated[
        Literal["explainer", "judge"], typer.Argument(help="Whose model, where none is named.")
    ],
    engine: Annotated[
        Literal["sglang", "vllm", "transformers"] | None,
        typer.Option(help="What runs the model; else the profile's, or transformers."),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Argument(
            help="The engine's own, behind --, such as -- --tp-size 8; else the profile's, if "
            "that names the same engine."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A folder, toybox:ROLE or a hub's name; else the profile's."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="The address to listen on; else the profile's. It asks nobody for a key."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The port to listen on; else the profile's, or 30000."),
    ] = None,
    venv: Annotated[
        Path | None,
        typer.Option(help="The engine's environment; else ~/.cache/lmmscope/ENGINE, or our own."),
    ] = None,
    within: Annotated[
        float, typer.Option(min=1, help="Seconds that it may take until it is ready.")
    ] = 1800,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the engine's command instead of starting it.")
    ] = False,
    profile: Profile = None,
) -> None:
    """Start a model server, say when it is ready, and stop it with Ctrl-C."""
    from lmmscope import engines
    from lmmscope.child import Child, stop_signals
    from lmmscope.settings import load_settings

    settings = load_settings(profile)
    first = engines.first_role(settings, role)
    runs, own = _engine(settings, first, engine)
    there = engines.listening(settings, first)
    host, port = host or (engines.HOST if port else there.host), port or there.port
    served, environment = _model(settings, role, model), venv or engines.environment_of(runs)
    command = engines.command_of(
        runs, environment, served, host=host, port=port, options=options or own
    )
    variables = engines.variables_of(served)
    if print_only:
        typer.echo(shlex.join([*(f"{name}={it}" for name, it in variables.items()), *command]))
        return
    engines.check_installed(runs, environment)
    _check_free(host, port)
    if runs == engines.OURS:
        engines.make_hub_cache()
    url, log = engines.url_of(host, port), settings.runs / "servers" / f"{runs}-{port}.log"
    typer.echo(f"starting  {runs}; its log is {log}", err=True)
    with stop_signals() as stop, Child(command, log, os.environ | variables, stop) as child:
        _wait_until_ready(child, stop, url, within)
        if not stop.signals:
            typer.echo(f"serving   {served} at {url} until Ctrl-C")
            named = json.dumps(served, ensure_ascii=False)  # what TOML calls a string, too
            typer.echo("use it    with this line under [servers] in a profile:")
            typer.echo(f'{role} = {{ base_url = "{url}", model = {named} }}')
            _watch(child, stop)
    raise typer.Exit(128 + stop.signals[0])


class _Engine(NamedTuple):
    """What runs a model, and the profile's options for it."""

    name: Engine
    options: tuple[str, ...]


def _engine(settings: Settings, role: str, given: Engine | None) -> _Engine:
    from lmmscope.engines import OURS

    serving = settings.engines.get(role)
    if serving is None or given not in (None, serving.engine):
        return _Engine(given or OURS, ())
    return _Engine(serving.engine, serving.options)


def _model(settings: Settings, role: str, given: str | None) -> str:
    from lmmscope.engines import served_model
    from lmmscope.wiring import model_folder
    from sae_core.weights import check_model

    name = given or served_model(settings, role)
    if name is None:
        raise UserError(f"Profile {settings.name!r} names no {role}. Try --model FOLDER")
    found = check_model(model_folder(name))
    return str(found.resolve() if found.is_dir() else found)


def _check_free(host: str, port: int) -> None:
    """Another server's answer must not pass for that of ours."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise UserError(
            f"Can't listen on {host}, port {port}: {error.strerror}. Try --port {port + 1}"
        ) from None


def _wait_until_ready(child: Child, stop: Stop, url: str, within: float) -> None:
    from lmmscope.child import POLL

    deadline = time.monotonic() + within
    while not stop.signals:
        if child.code is not None:
            raise _failure(child, f"ended with code {child.code} before it was ready")
        if time.monotonic() > deadline:
            raise _failure(child, f"was not ready within {within:g} s. Try a larger --within")
        if _healthy(url):
            return
        time.sleep(POLL)


def _healthy(url: str) -> bool:
    import httpx2

    try:
        reply = httpx2.get(f"{url}/health", timeout=HEALTH_TIMEOUT, trust_env=False)
    except httpx2.TransportError:
        return False
    return reply.status_code == 200


def _watch(child: Child, stop: Stop) -> None:
    from lmmscope.child import POLL

    while not stop.signals:
        if child.code is not None:
            raise _failure(child, f"ended by itself with code {child.code}")
        time.sleep(POLL)


def _failure(child: Child, what: str) -> UserError:
    typer.echo(child.tail(), err=True)
    return UserError(f"The server {what}. Above is the end of its log {child.log}")
