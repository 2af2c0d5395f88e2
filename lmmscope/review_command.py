"""`lmmscope review`: the runs in a browser, served to this machine alone.

It starts and prints; pages are the review application's.
"""

from __future__ import annotations

import os
import secrets
import socket
import webbrowser
from contextlib import closing
from threading import Thread
from typing import Annotated

import typer

from lmmscope.limits import Runs
from lmmscope.options import Profile
from sae_core.errors import UserError

HOST = "127.0.0.1"


def review(
    run: Annotated[
        str | None, typer.Option(help="Open this run: its id, or the beginning of it.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0: any that is free.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether the browser is opened.")
    ] = True,
    runs: Runs = None,
    profile: Profile = None,
) -> None:
    """Look at runs in the browser: what the agent did, saw and found, with all its evidence."""
    from pathlib import Path

    import uvicorn

    from agent.store import Reader, Store
    from lmmscope.review_wiring import ReviewHands
    from lmmscope.settings import load_settings
    from review.app import create_app

    settings = load_settings(profile)
    folder = settings.runs if runs is None else Path(runs)
    if not (folder / "findings.db").exists():
        Store(folder).close()  # the first run may be asked for while the page is open
    token = secrets.token_urlsafe(24)
    with (
        Reader(folder) as store,
        _listening(port) as listener,
        closing(ReviewHands(settings, store, profile)) as hands,
    ):
        path = f"/runs/{store.run(run).id}" if run else "/runs"
        address = f"http://{HOST}:{listener.getsockname()[1]}{path}?token={token}"
        Thread(target=hands.prepare, daemon=True).start()
        typer.echo(f"review   {address}")
        typer.echo("Ctrl-C ends it", err=True)
        if browser:
            webbrowser.open(address)
        config = uvicorn.Config(
            create_app(store, token, hands),
            log_level="warning",
            # Pages that watch a run are cut off when the server ends.
            timeout_graceful_shutdown=1,
            server_header=False,
            proxy_headers=False,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise UserError(f"Can't listen on {HOST}, port {port}: {why}. Try --port 0") from None
