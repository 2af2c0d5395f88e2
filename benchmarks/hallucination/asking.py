"""Asks the target many things, in batches, as it is or with a recipe written into it.

Knows prompts, recipes and what was said before: nothing is asked twice. What replies mean is the
benchmarks' knowledge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch

from benchmarks.hallucination.kept import Kept
from benchmarks.hallucination.pictures import Picture
from sae_core.lmm.adapter import Inputs, Prompt
from sae_core.steering.hook import steering
from sae_core.steering.logits import generated
from sae_core.steering.plan import Row
from tools.lab import Lab
from tools.recipe import Recipe

EACH = 20
"""After so many batches it is told how far things are."""


class Asked(NamedTuple):
    """A question or an instruction, about a picture if there is one."""

    text: str
    picture: Picture | None


class Asker:
    """The target of a lab, and what it has said."""

    def __init__(
        self,
        lab: Lab,
        identity: str,
        *,
        batch: int,
        kept: Kept,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._lab, self._identity, self._batch = lab, identity, batch
        self._kept, self._say = kept, say

    def replies(
        self, asked: Sequence[Asked], tokens: int, recipe: Recipe | None = None
    ) -> list[str]:
        """A greedy reply to each, of so many tokens at most."""
        keys = [self._key(one, tokens, recipe) for one in asked]
        new = {key: one for key, one in zip(keys, asked, strict=True) if key not in self._kept}
        done = 0
        for number, some in enumerate(self._batches(new), 1):
            said = self._said([new[key] for key in some], tokens, recipe)
            self._kept.add(dict(zip(some, said, strict=True)))
            done += len(some)
            if number % EACH == 0 or done == len(new):
                self._say(f"{done} of {len(new)} answered{' with the recipe' if recipe else ''}")
        return [self._kept[key] for key in keys]

    def _key(self, one: Asked, tokens: int, recipe: Recipe | None) -> str:
        """A hash of everything that a reply depends on."""
        picture = None if one.picture is None else one.picture.digest
        written = None if recipe is None else recipe.model_dump(mode="json")
        parts = [self._identity, picture, one.text, tokens, written]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _batches(self, new: dict[str, Asked]) -> Iterator[list[str]]:
        """With and without a picture apart, else in their order, since pictures lie in it too."""
        for shown in (True, False):
            keys = [key for key, one in new.items() if (one.picture is not None) == shown]
            for at in range(0, len(keys), self._batch):
                yield keys[at : at + self._batch]

    @torch.no_grad()
    def _said(self, some: Sequence[Asked], tokens: int, recipe: Recipe | None) -> list[str]:
        adapter = self._lab.target
        prompts = [
            Prompt(() if one.picture is None else (one.picture.read(),), one.text) for one in some
        ]
        inputs = adapter.prepare(prompts)
        with self._written(inputs, recipe, shown=some[0].picture is not None):
            replies = generated(adapter, inputs.tensors, tokens)
        texts = adapter.processor.tokenizer.batch_decode(replies, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def _written(
        self, inputs: Inputs, recipe: Recipe | None, *, shown: bool
    ) -> AbstractContextManager[None]:
        if recipe is None:
            return nullcontext()
        seeing = self._lab.seeing
        # What acts on pictures alone has nowhere to act where there is none.
        acting = tuple(one for one in recipe.interventions if shown or one.where != "image")
        rows = [Row(acting)] * len(inputs.layouts)
        return steering(
            seeing.adapter, seeing.coder, seeing.hook, inputs.layouts, rows, recipe.mode
        )
