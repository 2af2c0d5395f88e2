"""The bench of the review application: steers the profile's model, and asks it why.

The model is loaded once, when it is first wanted, in the thread that works with it. Knows the lab
and the tools; nothing of pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from lmmscope.lane import Lane, Work
from review.bench import Cause, Job, Model, Peak, Question, Said, Told, Trial, Why, Write
from sae_core.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

    from sae_core.index.query import Index
    from sae_core.steering.plan import Intervention
    from tools.artefacts import ArtefactId
    from tools.attribute import AttributeResult
    from tools.lab import Lab

PROMPT_ONLY = "prompt_only"


class ModelBench:
    """Everything that the pages ask of the model."""

    def __init__(
        self,
        make: Callable[[], Lab],
        fitted: Callable[[Image.Image], Image.Image] = lambda picture: picture,
    ) -> None:
        """`make` builds the lab; `fitted` makes a picture that somebody brings fit the model."""
        self._make, self._fitted = make, fitted
        self._at_hand: Lab | None = None
        self._index: Index | None = None
        self._model = Model("not loaded", "", None)
        self._lane = Lane(self._worked_out)

    def model(self, *, load: bool = False) -> Model:
        """How the model is; loading begins at most once."""
        if load and self._model.state == "not loaded":
            self._model = Model("loading", "", None)
            self._lane.also(self._warmed)
        return self._model

    def peaks(self, features: Sequence[int]) -> tuple[Peak, ...]:
        """Of the features that there are, once the index is open."""
        index = self._index
        if index is None:
            return ()
        known = [index.feature(one) for one in features if one < index.features]
        return tuple(Peak(one.feature, one.peak, one.fires_on) for one in known)

    def begin(self, asked: Trial | Question) -> str:
        """Line it up."""
        return self._lane.begin(asked)

    def job(self, name: str) -> Job | None:
        """As far as it is."""
        return self._lane.job(name)

    def stop(self, name: str) -> None:
        """End it."""
        self._lane.stop(name)

    def close(self) -> None:
        """End everything."""
        self._lane.close()

    def _warmed(self) -> None:
        from tools.failures import ToolFailure

        try:
            self._loaded()
        except (UserError, ToolFailure) as error:
            self._model = Model("failed", str(error), None)
        except BaseException as error:
            self._model = Model("failed", f"{type(error).__name__}: {error}", None)
            raise

    def _loaded(self) -> Lab:
        """The lab with its model; what could not be loaded is tried again."""
        if self._at_hand is None or self._model.state != "ready":
            self._model = Model("loading", "", None)
            lab = self._make()
            seeing = lab.seeing
            self._at_hand, self._model = lab, Model("ready", seeing.model, seeing.digest)
        return self._at_hand

    def _features(self) -> Index:
        if self._index is None:
            self._index = self._loaded().index("explore")
        return self._index

    def _worked_out(self, work: Work) -> str:
        work.tell(note="loading the model")
        self._loaded()
        work.tell(note="opening the index of features")
        self._features()
        work.begin()
        asked = work.job.asked
        return self._tried(work, asked) if isinstance(asked, Trial) else self._why(work, asked)

    def _tried(self, work: Work, asked: Trial) -> ArtefactId:
        from sae_core.lmm.adapter import Prompt
        from sae_core.steering.experiment import steer
        from tools.recipe import recipe_of

        lab, names = self._loaded(), ["unsteered", "steered"]
        seeing, index, entry = lab.seeing, self._features(), self._interventions(asked)
        controls = [one for one in asked.controls if one != PROMPT_ONLY]
        pictures = self._pictures(asked.picture)
        work.tell(state="working", note="")

        def heard(texts: Sequence[str]) -> None:
            named = zip([*names, *controls], texts, strict=False)
            work.hear(tuple(Said(name=name, text=text) for name, text in named))

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
        work.hear(replies)
        if PROMPT_ONLY in asked.controls:
            replies = self._hinted(work, asked, replies)
        told = Told(
            asked=asked, coder=seeing.digest, model=seeing.model, hook=seeing.hook,
            replies=replies,
            recipe=lab.artefacts.put_document(recipe_of(seeing, entry, asked.mode)),
        )  # fmt: skip
        return lab.artefacts.put_document(told)

    def _hinted(self, work: Work, asked: Trial, replies: tuple[Said, ...]) -> tuple[Said, ...]:
        """The same with words before the prompt, and nothing written."""
        from sae_core.lmm.adapter import Prompt
        from sae_core.steering.logits import generated

        adapter = self._loaded().seeing.adapter
        prompt = Prompt(self._pictures(asked.picture), " ".join((asked.hint, asked.prompt)).strip())

        def said(ids: Sequence[object]) -> Said:
            text = adapter.processor.batch_decode(ids, skip_special_tokens=True)[0]
            return Said(name=PROMPT_ONLY, text=text.strip())

        tensors = adapter.prepare([prompt]).tensors
        ids = generated(
            adapter, tensors, asked.tokens, lambda begun: work.hear((*replies, said(begun)))
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
        record = self._features().feature(one.feature)
        if not record.peak:
            raise UserError(
                f"Feature {one.feature} fires on none of the explore pictures, so there is no peak "
                "to count its strength in. Choose scale, or another feature"
            )
        return one.strength * record.peak

    def _pictures(self, name: str | None) -> tuple[Image.Image, ...]:
        return () if name is None else (self._fitted(self._loaded().artefacts.picture(name)),)

    def _why(self, work: Work, asked: Question) -> ArtefactId:
        from tools.attribute import AttributionSheet, attribute

        lab, seeing = self._loaded(), self._loaded().seeing
        shown = [lab.artefacts.put_picture(one) for one in self._pictures(asked.picture)]
        work.tell(state="working", note="one pass forward, one back, then a check of the strongest")
        arguments = attribute.parse(
            {
                "picture": {"artefact": shown[0]} if shown else None,
                **asked.model_dump(include={"question", "answer", "baseline", "top"}),
            }
        )
        found = asyncio.run(attribute.call(lab, arguments))
        work.tell()
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
