"""The options that several commands share."""

from typing import Annotated

import typer

Profile = Annotated[
    str | None,
    typer.Option(help="A profile's name or .toml file; else $LMMSCOPE_PROFILE, else toybox."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")]
Ray = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Work on a Ray cluster: auto, the head node's HOST:PORT, or local to start one here.",
    ),
]
Actors = Annotated[
    int | None,
    typer.Option(min=1, help="Workers on the cluster; else one a GPU, or one for two CPUs."),
]
