"""A feature's finding as its page shows it: scores and tests as intervals, replies, what changed.

Knows findings and charts; nothing of pictures, addresses or templates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent.findings import (
    Check,
    Difference,
    Estimate,
    FeatureFinding,
    Hypothesis,
    SteeringOutcome,
    Swing,
    Test,
    Verification,
)
from agent.summary import NAMES
from review.charts import Beside, IntervalPlot, Scale, interval_plot, scale_of

CLIP_MOST = 40.0
"""CLIP-scores go to 100, and hardly ever come above this."""
_NULLS = {
    "moved_masks": "moved masks",
    "shuffled_labels": "shuffled labels",
    "random_pictures": "random pictures",
    "generic_caption": "generic caption",
}


class Against(NamedTuple):
    """What a value has to beat."""

    name: str
    value: float
    p: float | None


class ScoreLine(NamedTuple):
    """A measure of a label."""

    name: str
    estimate: Estimate
    plot: IntervalPlot
    against: tuple[Against, ...]


class CheckLine(NamedTuple):
    """A condition of the sealed test."""

    check: Check
    plot: IntervalPlot


class TestLine(NamedTuple):
    """A try at breaking a hypothesis."""

    test: Test
    plot: IntervalPlot


class Entry(NamedTuple):
    """A line of the ledger."""

    hypothesis: Hypothesis
    rank: int
    tests: tuple[TestLine, ...]
    chosen: bool
    """It went into the sealed test."""


class SwingLine(NamedTuple):
    """How far the feature or a control moved what the model says."""

    swing: Swing
    moved: IntervalPlot
    about: IntervalPlot | None

    @property
    def own(self) -> bool:
        """Whether it is the feature, not a control."""
        return self.swing.name in ("feature", "feature off")


class Said(NamedTuple):
    """What the model said to one prompt."""

    prompt: str
    texts: tuple[tuple[str, str], ...]
    """Who steered, and the reply."""


class Change(NamedTuple):
    """What a finding says otherwise than the one before it."""

    what: str
    before: str
    after: str


class Earlier(NamedTuple):
    """A finding about the same feature."""

    finding: FeatureFinding
    here: bool
    """It is the one that the page shows."""
    changes: tuple[Change, ...]


def scores(found: Mapping[str, Estimate]) -> tuple[ScoreLine, ...]:
    """The measures of a label beside their nulls."""
    return tuple(_score(name, one) for name, one in found.items())


def _score(name: str, one: Estimate) -> ScoreLine:
    nulls = getattr(one, "nulls", ())
    beside = [Beside(_NULLS[null.name], null.value, null.low, null.high) for null in nulls]
    most = CLIP_MOST if name.startswith("clip") else 1.0
    scale = scale_of([one.high, *(null.high for null in nulls)], most=most)
    return ScoreLine(
        NAMES.get(name, name),
        one,
        interval_plot(one.value, one.low, one.high, scale, beside=beside),
        tuple(Against(_NULLS[null.name], null.value, null.p) for null in nulls),
    )


def better(difference: Difference) -> IntervalPlot:
    """How much more often the claim is right than the label of one question."""
    return interval_plot(difference.value, difference.low, difference.high, Scale(-1.0, 1.0))


def checks(verified: Verification) -> tuple[CheckLine, ...]:
    """Every condition, with how far its interval lies above its bar."""
    return tuple(
        CheckLine(
            one,
            interval_plot(
                one.value, one.low, one.value, scale_of([one.value, one.bar]), bar=one.bar
            ),
        )
        for one in verified.checks
    )


def ledger(finding: FeatureFinding) -> tuple[Entry, ...]:
    """Every hypothesis with every test."""
    claim = finding.verification.claim if finding.verification else None
    return tuple(
        Entry(one, rank, tuple(map(_test, one.tests)), one.claim == claim)
        for rank, one in enumerate(finding.hypotheses, 1)
    )


def _test(test: Test) -> TestLine:
    one = test.estimate
    scale = scale_of([one.low, one.high, test.chance])
    chance = Beside("chance", test.chance)
    return TestLine(test, interval_plot(one.value, one.low, one.high, scale, beside=(chance,)))


def swings(outcome: SteeringOutcome) -> tuple[SwingLine, ...]:
    """The feature and all controls on one scale."""
    moved = scale_of([one.moved.high for one in outcome.swings], most=0.1)
    told = [one.about for one in outcome.swings if one.about]
    about = scale_of([end for one in told for end in (one.low, one.high)], least=-0.1, most=0.1)
    return tuple(
        SwingLine(
            one,
            _plot(one.moved, moved),
            _plot(one.about, about) if one.about else None,
        )
        for one in outcome.swings
    )


def _plot(one: Estimate, scale: Scale) -> IntervalPlot:
    return interval_plot(one.value, one.low, one.high, scale)


def replies(outcome: SteeringOutcome) -> tuple[Said, ...]:
    """What the model said to each prompt; where the feature was switched off, after those."""
    prompts = outcome.prompts
    written = {name: texts for name, texts in outcome.texts.items() if len(texts) == len(prompts)}
    off = {name: texts for name, texts in outcome.texts.items() if name not in written}
    said = [
        Said(prompt, tuple((name, texts[at]) for name, texts in written.items()))
        for at, prompt in enumerate(prompts)
    ]
    most = max((len(texts) for texts in off.values()), default=0)
    said += [
        Said(
            "where it fires, switched off",
            tuple((name, texts[at]) for name, texts in off.items() if at < len(texts)),
        )
        for at in range(most)
    ]
    return tuple(said)


def history(found: Sequence[FeatureFinding], here: str) -> tuple[Earlier, ...]:
    """All findings about a feature, the latest first, each with what it says otherwise."""
    before: list[FeatureFinding | None] = [*found[1:], None]
    return tuple(
        Earlier(one, one.id == here, changes(older, one) if older else ())
        for one, older in zip(found, before, strict=True)
    )


def changes(older: FeatureFinding, newer: FeatureFinding) -> tuple[Change, ...]:
    """What two findings about one feature differ in, and what they were made with."""
    pairs = [
        *((name, getattr(older, name), getattr(newer, name)) for name in ("status", "label")),
        ("class", older.category, newer.category),
        ("tags", ", ".join(older.tags), ", ".join(newer.tags)),
        *_made_with(older, newer),
    ]
    return tuple(
        Change(name, str(old or "none"), str(new or "none"))
        for name, old, new in pairs
        if old != new
    )


def _made_with(older: FeatureFinding, newer: FeatureFinding) -> list[tuple[str, object, object]]:
    old, new = older.provenance, newer.provenance
    plain = ("model", "hook", "levels", "revision", "profile", "seed", "fork")
    pairs: list[tuple[str, object, object]] = [
        (name, getattr(old, name), getattr(new, name)) for name in plain
    ]
    for group in ("pictures", "models", "prompts", "packages"):
        was, now = getattr(old, group), getattr(new, group)
        pairs += [
            (f"{group}: {name}", was.get(name), now.get(name)) for name in sorted({*was, *now})
        ]
    return [(name, _brief(was), _brief(now)) for name, was, now in pairs]


def _brief(value: object) -> object:
    """Digests by their beginning, as far as that tells them apart for a reader."""
    return f"{value[:12]}…" if isinstance(value, str) and len(value) > 40 else value
