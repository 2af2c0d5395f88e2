"""The options that several commands share."""

from typing import Annotated

import typer

Profile = Annotated[
    str | None,
    typer.Option(help="A profile's name or .toml file; else $LMMSCOPE_PROFILE, else toybox."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")]
