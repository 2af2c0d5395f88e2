"""A free investigation: a chat model calls the tools as it likes, and ends with claims.

It works at the same desk, with the same seal and within the same budget as everybody else: its
best claim goes through the same verification, which it can neither run nor see. Knows agents of
langchain; nothing of what the tools do.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, ConfigDict, Field

import prompts
from agent.desk import Desk
from agent.findings import Hypothesis
from agent.served import PromptedModel
from tools.artefacts import ArtefactId
from tools.failures import ToolFailure, TryAgain
from tools.registry import NAMES, named
from tools.wording import Label

LONGEST = 6000
"""Characters of a result that a model gets to read; the whole is in the transcript."""
NOT_FREE = frozenset({"train_sae", "load_sae"})
"""Tools that no investigation of a feature needs."""


class Claims(BaseModel):
    """What the feature responds to."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    claims: tuple[Label, ...] = Field(default=(), max_length=12)
    """The best first; none, if nothing holds."""


async def roam(
    desk: Desk, model: BaseChatModel, feature: int, evidence: ArtefactId
) -> tuple[Hypothesis, ...]:
    """Let the model investigate until it has claims or its steps are used up."""
    steps = desk.rules.steps
    prompt = prompts.load("roam")
    opening = prompt.render(feature=str(feature), evidence=evidence, steps=str(steps))
    agent = create_agent(
        model.under(prompt) if isinstance(model, PromptedModel) else model,
        _tools(desk),
        middleware=[ModelCallLimitMiddleware(run_limit=steps, exit_behavior="end")],
        response_format=ToolStrategy(Claims),
    )
    # Not a part of the graph that asks for it.
    var_child_runnable_config.set(None)
    ended: dict[str, Any] = await agent.ainvoke(
        {"messages": [{"role": "user", "content": opening}]},
        {"recursion_limit": 4 * steps + 10},
    )
    answered = ended.get("structured_response")
    claims = answered.claims if isinstance(answered, Claims) else ()
    desk.say(
        "hypotheses",
        f"the model claims: {'; '.join(claims) or 'nothing'}",
        result={"claims": list(claims)},
    )
    return tuple(Hypothesis(claim=claim, origin="free") for claim in dict.fromkeys(claims))


def _tools(desk: Desk) -> list[BaseTool]:
    """Each of our tools as one of langchain's, with what it fails by as its answer."""
    repeats: Counter[str] = Counter()
    return [_tool(desk, name, repeats) for name in NAMES if name not in NOT_FREE]


def _tool(desk: Desk, name: str, repeats: Counter[str]) -> BaseTool:
    ours = named(name)

    async def call(**arguments: Any) -> str:
        given = ours.arguments.model_validate(arguments)
        # Counted by what is asked: the same call again tells nothing new.
        asked = f"{name} {given.model_dump_json()}"
        repeats[asked] += 1
        if repeats[asked] >= desk.rules.repeats:
            return "You asked exactly this before. Try something else, or answer with your claims"
        try:
            result = await desk.use(name, **given.model_dump())
        except ToolFailure as failure:
            hope = "trying again may help" if isinstance(failure, TryAgain) else "it won't work"
            return f"failed ({hope}): {failure.reason}"
        return result.model_dump_json()[:LONGEST]

    return StructuredTool(
        name=name, description=ours.does, args_schema=ours.arguments, coroutine=call
    )
