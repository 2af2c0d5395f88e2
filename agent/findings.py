"""What the agent found out, and everything that it rests on.

A finding is never changed: what people think of it, and what a later run finds, stands beside it.
Knows documents only; nothing of how they are found or kept.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sae_core.scoring.estimate import Difference, Estimate, Score
from sae_core.scoring.overlap import Overlap
from tools.artefacts import ArtefactId
from tools.evidence import Split

Status = Literal["supported", "refuted", "no explanation", "too rare"]
"""A claim passed the sealed verification; it failed it; nothing was worth verifying; the feature
fires on too few pictures to say anything. Each of them is a result."""
Tag = Literal[
    "too broad", "too narrow", "wrong", "output-only", "polysemantic", "dead", "unreadable"
]  # fmt: skip
"""What is the matter with a feature or its label."""
Origin = Literal[
    "seen together", "seen alone", "contrast", "beside", "without", "either", "part", "free"
]  # fmt: skip
"""Where a hypothesis comes from: the explainer saw pictures together, one by one, or beside silent
ones; a condition, an alternative or a part was added or taken off; a model investigated freely."""
Role = Literal["input", "output", "both", "uninterpretable", "not testable"]
"""Does a feature show what the model sees, does writing it change what the model says, or both."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


def digest(*parts: object) -> str:
    """SHA-256 of some plain values: the name of something by its content."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Cost(_Part):
    """What something took."""

    calls: int = 0
    """Requests to chat models that were answered anew; replies from the cache cost nothing."""
    cached: int = 0
    """Replies from the cache."""
    tokens: int = 0
    seconds: float = 0.0
    """Of work: what is done side by side counts for each, so a batch takes less by the clock."""
    money: float = 0.0

    def plus(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(
            **{name: getattr(self, name) + getattr(other, name) for name in Cost.model_fields}
        )


class Test(_Part):
    """One try at breaking a hypothesis, on pictures that may be looked at."""

    __test__ = False  # pytest would take it for one of its own

    kind: str
    """What was tried: `detect`, `separate`, `occlude`, `near miss`, ..."""
    asked: str
    """The same in one line, for people."""
    estimate: Estimate
    """How far the feature did what the hypothesis says, with its interval."""
    chance: float
    """What a hypothesis that says nothing would get."""
    evidence: tuple[ArtefactId, ...] = ()


class Hypothesis(_Part):
    """A claim about a feature, with every test that it went through."""

    claim: str
    """In words that `tools.claims` reads."""
    origin: Origin
    votes: int = 1
    """How many askings gave it."""
    tests: tuple[Test, ...] = ()
    standing: float | None = None
    """Balanced accuracy on explore pictures less a price for each condition; None: never tried."""


class Check(_Part):
    """One condition of the sealed verification."""

    name: str
    passed: bool
    value: float
    low: float
    """The lower end of the value's interval."""
    bar: float
    """What the lower end has to be above."""
    p: float | None = None
    """Against the null; the batch corrects these for their number."""


class Struck(_Part):
    """A part of a claim that its sealed test did not bear out."""

    claim: str
    """With it."""
    left: str
    """Without it: that is tested instead."""
    won: int
    """On so many pictures the claim with it is right and the one without is wrong."""
    lost: int
    p: float
    """McNemar's exact test of the two."""


class Discovery(_Part):
    """How a verified finding stands among all those of a batch, where chance has many tries."""

    run: str
    unit: str
    among: int
    """So many findings of the batch were verified."""
    rate: float
    """The share of its discoveries that may be so by chance."""
    adjusted: float
    """The finding's p among them (Benjamini and Hochberg)."""

    @property
    def holds(self) -> bool:
        """Whether it is a discovery among so many."""
        return self.adjusted <= self.rate


class Verification(_Part):
    """The sealed test of a claim: once, on pictures that nobody looked at before."""

    claim: str
    """The claim that was tested: all of it, or what its test left of it."""
    struck: tuple[Struck, ...] = ()
    """What was claimed beyond it; each counts as one more try."""
    split: Split = "test"
    pictures: str
    """The digest of the split."""
    evidence: ArtefactId
    """Which pictures were opened, and why each of them."""
    sheet: ArtefactId
    """What was measured on each picture."""
    checks: tuple[Check, ...]
    """All of them have to pass."""
    scores: dict[str, Overlap | Score]
    unmeasured: dict[str, str] = Field(default_factory=dict)
    """Which measures there are none of, and why."""
    passed: bool
    tries: int = 1
    """How often these pictures have been opened for this feature, by other settings too. The p of
    each check is multiplied by it."""
    one_shot: str | None
    """The label that one question gives, for comparison."""
    one_shot_scores: dict[str, Overlap | Score] = Field(default_factory=dict)
    better: Difference | None = None
    """How much more often the claim foretells firing than the one-shot label, on the same pictures;
    None where they are the same or one of them is missing."""


class Swing(_Part):
    """How far one control or the feature itself moved what the model says."""

    name: str
    """`feature`, or the control."""
    moved: Estimate
    """KL from the unsteered model in nats, over prompts."""
    about: Estimate | None = None
    """How much more likely the label's words became, in logits; None where there is none."""


class SteeringOutcome(_Part):
    """What writing the feature into the model does, beside all controls."""

    role: Role
    why: str
    """The verdict in one line."""
    strength: float | None = None
    """What the feature was set to."""
    swings: tuple[Swing, ...] = ()
    """The feature first, then the controls."""
    texts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """What the model said, by the same names and `unsteered`, one for each prompt."""
    prompts: tuple[str, ...] = ()
    experiments: tuple[ArtefactId, ...] = ()


class Provenance(_Part):
    """What a finding would need to be found again."""

    model: str
    hook: str
    coder: str
    """The digest of the coder, or of the planted set."""
    levels: str = ""
    """The digest of the levels from which on features count as firing; empty if all counts."""
    pictures: dict[str, str] = Field(default_factory=dict)
    """The digest of each split."""
    models: dict[str, str] = Field(default_factory=dict)
    """Who played each part: explainer, judge, grounder, clip, ..."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """The content hash of each prompt."""
    packages: dict[str, str] = Field(default_factory=dict)
    revision: str = ""
    """Git's, with a + where files were changed."""
    profile: str = ""
    seed: int = 0
    fork: str = ""
    """The event at which the run left an earlier one; empty where it left none."""


class _Finding(_Part):
    key: str
    """What was asked of what, by content: the same question is not answered twice."""
    run: str
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    summary: str
    """One line for people."""
    cost: Cost
    provenance: Provenance

    @property
    def id(self) -> str:
        """Its name: one run says one thing about one key."""
        return digest(self.run, self.key)[:16]


class Firing(_Part):
    """What counts as firing, and how often a feature does."""

    level: float
    """From this activation on; 0 where every activation counts."""
    often: float
    """On what share of the explore pictures."""
    at_all: float | None = None
    """On what share it is active, weakly or not; None where that is no other number."""


class FeatureFinding(_Finding):
    """What a feature means, or that nobody can say."""

    kind: Literal["feature"] = "feature"
    feature: int
    status: Status
    label: str | None
    """The short name; None unless supported or refuted."""
    category: str | None = None
    tags: tuple[Tag, ...] = ()
    evidence: ArtefactId
    """The explore evidence that everything started from."""
    firing: Firing | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    """Best first. Their number is the number of attempts."""
    one_shot: str | None = None
    verification: Verification | None = None
    steering: SteeringOutcome | None = None

    @model_validator(mode="after")
    def _claims_no_more_than_it_shows(self) -> Self:
        passed = self.verification is not None and self.verification.passed
        if self.status == "supported" and not (passed and self.label):
            raise ValueError("a supported finding has a label that passed its verification")
        if self.status in ("too rare", "no explanation") and self.label is not None:
            raise ValueError(f"a finding of {self.status} has no label")
        return self


class Counts(_Part):
    """How answers changed on a set of questions."""

    name: str
    """`recipe`, or the control."""
    n: int
    better: int
    same: int
    worse: int
    p: float
    """McNemar's exact test, two-sided."""
    right_before: int
    right_after: int


class Culprit(_Part):
    """A feature that speaks for the wrong answer."""

    feature: int
    label: str | None
    by_image: float
    """Its attribution at the picture's tokens, the mean over wrong answers, in logits."""
    by_text: float
    separability: float
    """AUROC of its activation for wrong against right answers."""


class BehaviourFinding(_Finding):
    """Why the model answers as it does, and what mends it."""

    kind: Literal["behaviour"] = "behaviour"
    behaviour: str
    """What the model does, as it was asked about."""
    question: str
    wrong: str
    """The answer that should not be."""
    right: str
    status: Literal["fixed", "improved", "not fixed", "not reproduced"]
    reproduced: Estimate | None
    """How often it happens, on development pictures."""
    culprits: tuple[Culprit, ...] = ()
    recipe: ArtefactId | None = None
    tried: tuple[dict[str, Any], ...] = ()
    """Every setting of the sweep on development pictures, with what it did."""
    sealed: tuple[Counts, ...] = ()
    """The recipe first, then all controls, on sealed pictures."""
    side_effects: tuple[Counts, ...] = ()
    """On other questions and captions."""


Finding = Annotated[FeatureFinding | BehaviourFinding, Field(discriminator="kind")]
