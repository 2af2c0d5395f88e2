"""How commands end: a user's mistake is one line and exit code 2, Ctrl-C is quiet and 130.

It knows no command. Whatever else is raised is a bug and keeps its traceback.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from sae_core.errors import UserError

USER_ERROR = 2
INTERRUPTED = 130


@contextmanager
def tidy_exit() -> Generator[None]:
    """Turns a UserError and Ctrl-C into exit codes."""
    try:
        yield
    except UserError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(USER_ERROR) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


class TidyGroup(TyperGroup):
    """A group of commands, sub-groups included, that all end tidily."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        with tidy_exit():
            return super().invoke(ctx)
