"""The steering test: whether writing a feature into the model changes what it says, and how.

How strongly to write is chosen on an empty picture, by what the feature does beyond its stand-in.
Then it is written once into each of some pictures on which it is silent or weak, beside all
controls, and compared picture by picture. Knows tools' answers; how features are written is the
tools' knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, cycle, zip_longest
from typing import Any, NamedTuple

import numpy as np

from agent.desk import Desk
from agent.findings import Role, SteeringOutcome, Swing
from sae_core.errors import UserError
from sae_core.scoring.estimate import Estimate
from sae_core.scoring.resampling import Span, cases_of, mean
from sae_core.scoring.significance import sign_flip_p
from sae_core.steering.controls import CONTROLS, Control
from sae_core.steering.logits import first_token
from tools.claims import parse
from tools.evidence import SILENT, Evidence
from tools.failures import WontWork
from tools.lab import Lab
from tools.steer import Reply, SteerResult

PROMPTS = ("what is in the picture?", "describe the picture.")
"""In turn, a picture each."""
TIMES = (0.5, 1.0)
"""The strengths that are tried on the empty picture, in the feature's largest activations."""
PICTURES = 6
"""Were it chance, all six would go one way once in 64 times; five could not tell."""
FIRING = 1
"""Pictures on which the feature fires, to switch it off."""
TOKENS = 16
FURTHER: tuple[Control, ...] = ("reconstruction", "random_feature", "random_direction")
"""What the feature has to move the model further than. The wrong sign moves it as well, and is a
control of the direction alone."""
CHANCE = 0.05
"""How often chance may make the feature look stronger than a control that is as strong."""
_SKIPPED = {"a", "an", "the", "of", "in", "on", "with", "or", "and", "color", "pattern", "word"}
"""Words of labels that say nothing of what is meant."""
Measure = Callable[[Reply], float]


class Case(NamedTuple):
    """One picture and what was said about it."""

    prompt: str
    found: SteerResult

    def reply(self, control: Control | None) -> Reply:
        """Of the feature, or of one of its controls."""
        if control is None:
            return self.found.steered[0]
        return next(one for one in self.found.controls if one.control == control)


async def steering_test(desk: Desk, feature: int, label: str | None) -> SteeringOutcome:
    """Write the feature, with all controls; `label` is its verified meaning, if there is one."""
    try:
        words = sayable(desk.lab, label)
    except WontWork as failure:
        return SteeringOutcome(role="not testable", why=failure.reason)
    gathered = await desk.use(
        "top_images", "looks for pictures to steer", feature=feature, top=0, per_quantile=2
    )
    if not gathered.peak:
        return SteeringOutcome(
            role="not testable", why=f"Feature {feature} never fires: nobody knows how strongly to"
        )
    evidence = desk.lab.artefacts.document(gathered.evidence, Evidence)
    strength, sweep = await _strength(desk, feature, gathered.peak, words)
    cases = await _cases(desk, feature, strength, _receiving(evidence), words)
    off = [await _off(desk, feature, number, words) for number in _firing(evidence)]
    made = outcome(label, words, strength, cases, off, desk.lab.seed)
    done = (sweep, *(case.found for case in (*cases, *off)))
    made = made.model_copy(update={"experiments": tuple(one.experiment for one in done)})
    desk.say(
        "steering",
        f"{made.role}: {made.why}",
        result=made.model_dump(mode="json", include={"role", "why", "strength", "swings"}),
        artefacts=made.experiments,
    )
    return made


def sayable(lab: Lab, label: str | None) -> tuple[str, ...]:
    """The label's words that the model can say; WontWork where nothing can be written at all."""
    adapter, found = lab.seeing.adapter, []
    claimed = parse(label).bare.text if label else ""
    for word in dict.fromkeys(re.findall(r"[^\W_]+", claimed.casefold())):
        try:
            first_token(adapter, word)
        except UserError:
            continue
        if word not in _SKIPPED:
            found.append(word)
    return tuple(found)


async def _strength(
    desk: Desk, feature: int, peak: float, words: Sequence[str]
) -> tuple[float, SteerResult]:
    """The strength at which an empty picture shows most that it is this feature and no other."""
    strengths = tuple(peak * times for times in TIMES)
    found = await _steered(
        desk,
        picture="white",
        prompt=PROMPTS[0],
        features=(feature,),
        strengths=strengths,
        words=words,
        controls=("random_direction",),
    )
    measure: Measure = _likelier if words else _moved
    pairs = zip(found.steered, found.controls, strict=True)
    beyond = [measure(own) - measure(control) for own, control in pairs]
    return strengths[int(np.argmax(beyond))], found


async def _cases(
    desk: Desk, feature: int, strength: float, numbers: Sequence[int], words: Sequence[str]
) -> list[Case]:
    """The feature and all its controls, a picture at a time."""
    found: list[Case] = []
    for number, prompt in zip(numbers, cycle(PROMPTS), strict=False):
        result = await _steered(
            desk,
            picture={"number": number},
            prompt=prompt,
            features=(feature,),
            strengths=(strength,),
            words=words,
        )
        found.append(Case(prompt, result))
    return found


async def _off(desk: Desk, feature: int, number: int, words: Sequence[str]) -> Case:
    """The feature switched off where it fires."""
    found = await _steered(
        desk,
        picture={"number": number},
        prompt=PROMPTS[0],
        features=(feature,),
        kind="ablate",
        words=words,
        controls=("random_feature",),
    )
    return Case(PROMPTS[0], found)


async def _steered(desk: Desk, **arguments: Any) -> SteerResult:
    return await desk.use("steer", "writes the feature", tokens=TOKENS, fluency=False, **arguments)


def _receiving(evidence: Evidence) -> list[int]:
    """Pictures on which it is silent, a kind in turn; where there are too few, weak ones too."""
    silent = chain.from_iterable(zip_longest(*(evidence.of(group) for group in SILENT)))
    weak = sorted(evidence.of("quantile"), key=lambda one: one.mean)
    found = dict.fromkeys(one.picture for one in (*silent, *weak) if one is not None)
    return list(found)[:PICTURES]


def _firing(evidence: Evidence) -> list[int]:
    """Where it fires most."""
    strong = sorted(evidence.of("quantile"), key=lambda one: -one.mean)
    return [one.picture for one in strong[:FIRING]]


def outcome(
    label: str | None,
    words: tuple[str, ...],
    strength: float,
    cases: Sequence[Case],
    off: Sequence[Case],
    seed: int,
) -> SteeringOutcome:
    """What the cases say together."""
    short = [control for control in FURTHER if not _beats(cases, control, _moved, seed)]
    astray = [control for control in CONTROLS if not _towards(cases, words, control, seed)]
    role, why = _verdict(label, words, short, astray)
    names: dict[str, tuple[Sequence[Case], Control | None]] = {
        "feature": (cases, None),
        **{control: (cases, control) for control in CONTROLS},
        "feature off": (off, None),
        "random_feature off": (off, "random_feature"),
    }
    shown = {name: which for name, which in names.items() if which[0]}
    return SteeringOutcome(
        role=role,
        why=why,
        strength=strength,
        swings=tuple(_swing(name, *which, words, seed) for name, which in shown.items()),
        texts={
            "unsteered": tuple(case.found.unsteered.text for case in cases),
            **{
                name: tuple(case.reply(control).text for case in some)
                for name, (some, control) in shown.items()
            },
        },
        prompts=tuple(case.prompt for case in cases),
    )


def _verdict(
    label: str | None, words: Sequence[str], short: Sequence[str], astray: Sequence[str]
) -> tuple[Role, str]:
    """What a label's words gain tells the feature from a mere push, which derails a model too."""
    if label is not None and words:
        if astray:
            return "input", f"it moves the model towards {label!r} no more than {_and(astray)}"
        if "reconstruction" in short:
            return "input", "it moves what the model says no further than the SAE's own error does"
        return "both", f"it moves what the model says towards {label!r}, more than all controls"
    if short:
        why = f"it moves what the model says no further than {_and(short)}"
        return ("uninterpretable" if label is None else "input"), why
    if label is None:
        return "output", "it moves what the model says further than all controls, unexplained"
    return "both", f"it moves the model further than all controls; no word of {label!r} is its own"


def _and(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _beats(cases: Sequence[Case], control: Control, measure: Measure, seed: int) -> bool:
    """Whether the feature does more than the control, picture by picture, and not by chance."""
    gap_P = np.array([measure(case.reply(None)) - measure(case.reply(control)) for case in cases])
    return bool(gap_P.any()) and sign_flip_p(gap_P, seed, two_sided=False) < CHANCE


def _towards(cases: Sequence[Case], words: Sequence[str], control: Control, seed: int) -> bool:
    """Whether the label's words become more likely, or are said more often, than with a control."""
    measures: Iterable[Measure] = (_likelier, lambda reply: float(_says(reply.text, words)))
    return bool(words) and any(_beats(cases, control, one, seed) for one in measures)


def _moved(reply: Reply) -> float:
    return reply.kl


def _likelier(reply: Reply) -> float:
    """By how much the label's words are, in logits."""
    return float(np.mean(list(reply.changes.values())))


def _says(text: str, words: Sequence[str]) -> bool:
    return bool(set(re.findall(r"[^\W_]+", text.casefold())) & set(words))


def _swing(
    name: str, cases: Sequence[Case], control: Control | None, words: Sequence[str], seed: int
) -> Swing:
    replies = [case.reply(control) for case in cases]
    return Swing(
        name=name,
        moved=_mean([reply.kl for reply in replies], seed, least=0.0),
        about=_mean([_likelier(reply) for reply in replies], seed) if words else None,
    )


def _mean(values: Sequence[float], seed: int, least: float | None = None) -> Estimate:
    """The mean; a picture that was not seen is reckoned to be as far out as any that was."""
    far = max(map(abs, values))
    return mean(cases_of(list(values)), Span(-far if least is None else least, far), seed)
