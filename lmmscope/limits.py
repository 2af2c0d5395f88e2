"""The options that say how much a command may spend, and how far it may go.

Knows names of options; what is spent is counted by `tools.backends.budget`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    from tools.backends.budget import Limits

Calls = Annotated[int | None, typer.Option(min=0, help="At most so many new requests to models.")]
Tokens = Annotated[int | None, typer.Option(min=0, help="At most so many tokens, in and out.")]
Money = Annotated[float | None, typer.Option(min=0, help="At most so much money.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=256,
        help="Features investigated at a time; by default as many as requests that the explainer's "
        "server answers at a time, and 4 where there is none.",
    ),
]
Steer = Annotated[
    bool, typer.Option("--steer/--no-steer", help="Whether features are written into the model.")
]
Free = Annotated[
    bool,
    typer.Option("--free", help="The planner's chat model uses the tools as it likes."),
]
Runs = Annotated[
    str | None, typer.Option(help="Where findings are kept, instead of the profile's folder.")
]
PlantedSeed = Annotated[
    int | None, typer.Option(help="Planted toybox features of this seed instead of an SAE's.")
]
Sae = Annotated[str | None, typer.Option(help="A coder's folder or name; else the profile's.")]


class Spend(NamedTuple):
    """The limits of one command."""

    calls: int | None = None
    tokens: int | None = None
    money: float | None = None

    def over(self, before: Mapping[str, Any]) -> Spend:
        """These where they are given, else what a run was begun with."""
        given = {name: limit for name, limit in self._asdict().items() if limit is not None}
        return Spend(**{name: before.get(name) for name in self._fields} | given)

    @property
    def limits(self) -> Limits:
        """As a budget has them."""
        from tools.backends.budget import Limits

        return Limits(**self._asdict())
