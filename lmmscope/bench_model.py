"""What the review application has the profile's model do: steer it, ask it why, read texts.

Done at once by whoever calls, with the model in this very process. Knows the lab and the tools;
nothing of processes or pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from lmmscope.bench_place import Loaded, Meant, Still, Telling
from review.bench import Cause, Question, Said, Told, Trial, Why, Write
from sae_core.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

    from sae_core.steering.plan import Intervention
    from tools.artefacts import ArtefactId
    from tools.attribute import AttributeResult
    from tools.lab import Lab

PROMPT_ONLY = "prompt_only"


class BenchModel:
    """A place where the model is, `lmmscope.bench_place.Place`."""

    awake = True

    def __init__(
        self,
        make: Callable[[], Lab],
        fitted: Callable[[Image.Image], Image.Image] = lambda picture: picture,
    ) -> None:
        """`make` builds the lab; `fitted` makes a picture that somebody brings fit the model."""
        self._make, self._fitted = make, fitted
        self._at_hand: Lab | None = None
        self._one_load = RLock()
        """Imports of large libraries get into each other's way, and memory is dear."""

    @property
    def lab(self) -> Lab:
        """The lab; what could not be built is tried again."""
        with self._one_load:
            if self._at_hand is None:
                self._at_hand = self._make()
            return self._at_hand

    def load(self, still: Still) -> Loaded:
        """Load the target and its coder."""
        still()
        with self._one_load:
            seeing = self.lab.seeing
            return Loaded(seeing.model, seeing.digest)

    def index(self, still: Still) -> Path:
        """Open the index of features, or build it where there is none."""
        still()
        folder = self.lab.index("explore").folder
        assert folder is not None  # it is kept on disk
        return folder

    def work(self, asked: Trial | Question, telling: Telling) -> ArtefactId:
        """Work it out."""
        if isinstance(asked, Trial):
            return self._tried(telling, asked)
        return self._why(telling, asked)

    def meant(self, texts: Sequence[str]) -> Meant:
        """What texts mean to the profile's CLIP."""
        with self._one_load:
            clip = self.lab.clip
        return Meant(clip.identity, clip.of_texts(texts).numpy())

    def close(self) -> None:
        """Nothing goes on by itself."""

    def _tried(self, telling: Telling, asked: Trial) -> ArtefactId:
        from sae_core.lmm.adapter import Prompt
        from sae_core.steering.experiment import steer
        from tools.recipe import recipe_of

        lab, names = self.lab, ["unsteered", "steered"]
        seeing, index, entry = lab.seeing, self.lab.index("explore"), self._interventions(asked)
        controls = [one for one in asked.controls if one != PROMPT_ONLY]
        pictures = self._pictures(asked.picture)
        telling.tell(state="working", note="")

        def heard(texts: Sequence[str]) -> None:
            named = zip([*names, *controls], texts, strict=False)
            telling.hear(tuple(Said(name=name, text=text) for name, text in named))

        done = steer(
            seeing.adapter, seeing.coder, seeing.hook, Prompt(pictures, asked.prompt), [entry],
            tokens=asked.tokens, mode=asked.mode, controls=controls,
            rates_F=index.token_rates(), seed=lab.seed, heard=heard,
        )  # fmt: skip
        outcomes = (done.unsteered, *done.entries, *done.controls)
        replies = tuple(
            Said(
                name=name,
                text=one.text,
                kl=sum(one.kl) / len(one.kl),
                perplexity=one.perplexity,
            )
            for name, one in zip([*names, *controls], outcomes, strict=True)
        )
        telling.hear(replies)
        if PROMPT_ONLY in asked.controls:
            replies = self._hinted(telling, asked, replies)
        told = Told(
            asked=asked, coder=seeing.digest, model=seeing.model, hook=seeing.hook,
            replies=replies,
            recipe=lab.artefacts.put_document(recipe_of(seeing, entry, asked.mode)),
        )  # fmt: skip
        return lab.artefacts.put_document(told)

    def _hinted(
        self, telling: Telling, asked: Trial, replies: tuple[Said, ...]
    ) -> tuple[Said, ...]:
        """The same with words before the prompt, and nothing written."""
        from sae_core.lmm.adapter import Prompt
        from sae_core.steering.logits import generated

        adapter = self.lab.seeing.adapter
        prompt = Prompt(self._pictures(asked.picture), " ".join((asked.hint, asked.prompt)).strip())

        def said(ids: Sequence[object]) -> Said:
            text = adapter.processor.batch_decode(ids, skip_special_tokens=True)[0]
            return Said(name=PROMPT_ONLY, text=text.strip())

        tensors = adapter.prepare([prompt]).tensors
        ids = generated(
            adapter, tensors, asked.tokens, lambda begun: telling.hear((*replies, said(begun)))
        )
        return (*replies, said(ids))

    def _interventions(self, asked: Trial) -> tuple[Intervention, ...]:
        from sae_core.steering.plan import Intervention

        return tuple(
            Intervention(
                feature=one.feature,
                kind=asked.kind,
                value=self._value(asked, one),
                where=asked.where,
            )
            for one in asked.writes
        )

    def _value(self, asked: Trial, one: Write) -> float | None:
        if asked.kind == "ablate":
            return None
        if asked.kind == "scale":
            return one.strength
        record = self.lab.index("explore").feature(one.feature)
        if not record.peak:
            raise UserError(
                f"Feature {one.feature} fires on none of the explore pictures, so there is no peak "
                "to count its strength in. Choose scale, or another feature"
            )
        return one.strength * record.peak

    def _pictures(self, name: str | None) -> tuple[Image.Image, ...]:
        return () if name is None else (self._fitted(self.lab.artefacts.picture(name)),)

    def _why(self, telling: Telling, asked: Question) -> ArtefactId:
        from tools.attribute import AttributionSheet, attribute

        lab, seeing = self.lab, self.lab.seeing
        shown = [lab.artefacts.put_picture(one) for one in self._pictures(asked.picture)]
        telling.tell(
            state="working", note="one pass forward, one back, then a check of the strongest"
        )
        arguments = attribute.parse(
            {
                "picture": {"artefact": shown[0]} if shown else None,
                **asked.model_dump(include={"question", "answer", "baseline", "top"}),
            }
        )
        found = asyncio.run(attribute.call(lab, arguments))
        telling.tell()
        sheet = lab.artefacts.document(found.sheet, AttributionSheet)
        why = Why(
            asked=asked.model_copy(update={"picture": shown[0] if shown else None}),
            coder=seeing.digest, model=seeing.model, hook=seeing.hook,
            difference=found.difference, by_image=found.by_image, by_text=found.by_text,
            heat=found.heat, words=sheet.tokens, totals=sheet.totals,
            causes=_causes(found, {one.feature: one.scores for one in sheet.features}),
            checked=found.check.spearman if found.check.kind == "checked" else None,
        )  # fmt: skip
        return lab.artefacts.put_document(why)


def _causes(found: AttributeResult, along: dict[int, tuple[float, ...]]) -> tuple[Cause, ...]:
    """The features of all lists, each once, the strongest first."""
    lists = (found.for_text, found.against_text, found.for_image, found.against_image)
    each = {one.feature: one for one in chain(*lists)}  # the last ones have the maps
    by_strength = sorted(each.values(), key=lambda one: -abs(one.image + one.text))
    return tuple(
        Cause(
            feature=one.feature, image=one.image, text=one.text, heat=one.heat,
            tokens=along[one.feature],
        )
        for one in by_strength
    )  # fmt: skip
