"""The tool steer: write features into the model, and see what it says then.

Knows what is asked for and what is told; how features are written and measured is sae_core's
knowledge. Controls differ from what is tested only in what is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal, Self

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sae_core.lmm.adapter import Prompt
from sae_core.steering.controls import CONTROLS, Control
from sae_core.steering.experiment import Outcome, Steered
from sae_core.steering.experiment import steer as run
from sae_core.steering.plan import Intervention, Kind, Mode, Scope, sweep
from tools.artefacts import ArtefactId
from tools.effects import Effect, Judgement, NotJudged, judged
from tools.lab import Lab
from tools.picture_id import PictureId
from tools.recipe import Recipe, recipe_of
from tools.tool import Arguments, Result, tool
from tools.wording import Label


class SteerArguments(Arguments):
    """What to write, and what to ask."""

    features: tuple[int, ...] = Field(default=(), max_length=64)
    """The features to write, all at once."""
    kind: Kind = "clamp"
    """Set to the strength, add it, multiply with it, or ablate, which takes no strength."""
    strengths: tuple[float, ...] = Field(default=(), max_length=32)
    """One experiment for each."""
    where: Scope = "all"
    """At all positions, those of the picture, of the text, of the text after the picture
    (question), or of what is generated; or numbers."""
    mode: Mode | None = None
    """strict keeps what the coder does not explain; paper does as was published."""
    recipe: ArtefactId | None = None
    """A recipe to try, instead of features, strengths and mode."""
    picture: PictureId | Literal["white"] | None = None
    """What the model is shown; white is an empty picture."""
    prompt: str = Field(default="", max_length=4000)
    """What the model is asked."""
    words: tuple[str, ...] = Field(default=(), max_length=32)
    """Words whose logits, as the first of the reply, are told."""
    controls: tuple[Control, ...] = CONTROLS
    """Which controls are run beside each strength."""
    topic: Label | None = None
    """What the feature is thought to mean: a judge says how much each reply is about it."""
    tokens: int = Field(default=64, ge=1, le=1024)
    """The longest reply."""
    fluency: bool = True
    """Whether to measure how fluent the unsteered model finds each reply."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.recipe is not None:
            if self.features or self.strengths or self.mode is not None:
                raise ValueError(
                    "a recipe says features, strengths and mode itself: leave them out"
                )
        elif not self.features:
            raise ValueError("give features, or a recipe")
        elif bool(self.strengths) == (self.kind == "ablate"):
            raise ValueError("clamp, add and scale need strengths, ablate takes none")
        return self


class Reply(BaseModel):
    """What the model said, and how far that is from the unsteered reply."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    control: Control | None
    """Which control it is; None for what is tested."""
    strength: float | None
    """None for the unsteered reply, for ablation, and for a recipe."""
    text: str
    differs: bool
    """The text is another one than the unsteered."""
    changes: dict[str, float]
    """Of each word's logit, against the unsteered model."""
    kl: float
    """KL from the unsteered model in nats, the mean over the unsteered reply's tokens."""
    perplexity: float | None
    """Of the text under the unsteered model."""
    effect: Judgement
    """How much the text is about the topic."""
    recipe: ArtefactId | None
    """What does this again; controls and the unsteered model have none."""


class SteerResult(Result):
    """The unsteered reply, the steered ones, and the controls."""

    hook: str
    mode: Mode
    unsteered: Reply
    steered: tuple[Reply, ...]
    """One for each strength."""
    controls: tuple[Reply, ...]
    """For each control, one for each strength."""
    experiment: ArtefactId
    """All numbers, at every token."""


@tool("Write features into the model and compare what it says with and without", "asks models")
async def steer(lab: Lab, args: SteerArguments) -> SteerResult:
    """A sweep of strengths with all controls, and what a judge makes of the texts."""
    mode, entries = await asyncio.to_thread(_plan, lab, args)
    done = await asyncio.to_thread(_experiment, lab, args, mode, entries)
    texts = [one.text for one in (done.unsteered, *done.entries, *done.controls)]
    effects = await _effects(lab, args, texts)
    recipes = [lab.artefacts.put_document(recipe_of(lab.seeing, one, mode)) for one in entries]

    def told(outcome: Outcome, recipe: ArtefactId | None = None) -> Reply:
        return _reply(done.unsteered, outcome, args.strengths, effects[outcome.text], recipe)

    return SteerResult(
        hook=done.hook,
        mode=done.mode,
        unsteered=told(done.unsteered),
        steered=tuple(map(told, done.entries, recipes)),
        controls=tuple(map(told, done.controls)),
        experiment=lab.artefacts.put_document(done),
    )


def _plan(lab: Lab, args: SteerArguments) -> tuple[Mode, list[tuple[Intervention, ...]]]:
    if args.recipe is not None:
        recipe = lab.artefacts.document(args.recipe, Recipe).check(lab.seeing)
        return recipe.mode, [recipe.interventions]
    mode = args.mode or "strict"
    if args.kind == "ablate":
        off = [Intervention(feature=f, kind="ablate", where=args.where) for f in args.features]
        return mode, [tuple(off)]
    return mode, sweep(args.features, args.kind, args.strengths, args.where)


def _experiment(
    lab: Lab, args: SteerArguments, mode: Mode, entries: Sequence[tuple[Intervention, ...]]
) -> Steered:
    seeing = lab.seeing
    rated = "random_feature" in args.controls
    return run(
        seeing.adapter,
        seeing.coder,
        seeing.hook,
        Prompt(_pictures(lab, args), args.prompt),
        entries,
        tokens=args.tokens,
        mode=mode,
        words=args.words,
        controls=args.controls,
        rates_F=lab.index("explore").token_rates() if rated else None,
        seed=lab.seed,
        fluency=args.fluency,
    )


def _pictures(lab: Lab, args: SteerArguments) -> tuple[Image.Image, ...]:
    if args.picture == "white":
        return (Image.new("RGB", lab.picture("explore", 0).size, "white"),)
    return () if args.picture is None else (args.picture.picture(lab),)


async def _effects(
    lab: Lab, args: SteerArguments, texts: Sequence[str]
) -> dict[str, Effect | NotJudged]:
    if args.topic is None:
        return dict.fromkeys(texts, NotJudged(why="no topic was given"))
    return await judged(lab, args.topic, texts)


def _reply(
    unsteered: Outcome,
    outcome: Outcome,
    strengths: Sequence[float],
    effect: Effect | NotJudged,
    recipe: ArtefactId | None,
) -> Reply:
    swept = outcome.entry is not None and bool(strengths)
    return Reply(
        control=outcome.control,
        strength=strengths[outcome.entry or 0] if swept else None,
        text=outcome.text,
        differs=outcome.text != unsteered.text,
        changes=outcome.changes,
        kl=sum(outcome.kl) / len(outcome.kl),
        perplexity=outcome.perplexity,
        effect=effect,
        recipe=recipe,
    )
