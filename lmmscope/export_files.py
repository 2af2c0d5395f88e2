"""A file that an export writes: whole or not at all, and never over another one unasked.

Knows paths; nothing of what is written.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from sae_core.errors import UserError

Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there already.")]


@contextmanager
def fresh_file(out: Path, *, force: bool) -> Generator[IO[bytes]]:
    """A file to write to, which gets its name once everything is written."""
    _free(out, force)
    # Named by the process, so that two exports at a time don't write into each other.
    beside = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            yield file
        _free(out, force)
        beside.replace(out)
    except OSError as error:
        raise UserError(f"{out} can't be written: {error.strerror}. Choose another --out") from None
    finally:
        beside.unlink(missing_ok=True)


def _free(out: Path, force: bool) -> None:
    if out.is_dir():
        raise UserError(f"{out} is a folder. Give --out the name of a file")
    if out.exists() and not force:
        raise UserError(
            f"{out} exists already. Choose another --out, or write over it with --force"
        )
