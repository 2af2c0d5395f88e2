"""`lmmscope mcp`: the agent's tools for any program that speaks the Model Context Protocol.

Knows options; what is offered is `lmmscope.mcp_server`'s.
"""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from lmmscope.limits import Calls, Money, PlantedSeed, Runs, Sae, Tokens
from lmmscope.options import Profile
from sae_core.errors import UserError

if TYPE_CHECKING:
    from tools.tool import Risk

ALLOWED: dict[str, tuple[Risk, ...]] = {
    "asks-models": ("asks models",),
    "long": ("asks models", "long"),
}


def mcp(
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help="Also offer tools that cost: asks-models (requests to models), long (minutes and "
            "more, such as a training). Without, tools only look."
        ),
    ] = None,
    calls: Calls = None,
    tokens: Tokens = None,
    money: Money = None,
    runs: Runs = None,
    planted_seed: PlantedSeed = None,
    sae: Sae = None,
    profile: Profile = None,
) -> None:
    """Serve the agent's tools and findings over standard input and output (MCP)."""
    risks: set[Risk] = {"reads", *(risk for word in allow or [] for risk in _risks(word))}
    if find_spec("mcp") is None:
        raise UserError(
            "lmmscope mcp needs the package mcp, which is not installed. "
            'Try pip install "lmmscope[mcp]"'
        )
    from lmmscope.laboratory import lab_alone
    from lmmscope.mcp_server import Offer, serve
    from lmmscope.work import ready
    from tools.backends.budget import Limits

    limits = Limits(calls=calls, tokens=tokens, money=money)
    made = lab_alone(ready(profile, runs), limits, planted_seed=planted_seed, sae=sae)
    asyncio.run(serve(Offer(made, frozenset(risks))))


def _risks(word: str) -> tuple[Risk, ...]:
    if word not in ALLOWED:
        raise UserError(f"--allow {word}: nothing is called so. Try --allow {' or '.join(ALLOWED)}")
    return ALLOWED[word]
