"""What a feature may stand for, to begin with: the explainer is asked in different ways.

Together, pictures show what they share; alone, each shows its own, so that two alternatives come
apart; beside silent ones, they show what those lack. Knows how models are asked and what their
answers come to; whether an answer holds is the ledger's to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

from agent.desk import Desk
from agent.feature.ledger import entered, guessed
from agent.findings import Hypothesis, Origin
from tools.artefacts import ArtefactId
from tools.claims import Claim, normal, parse
from tools.failures import WontWork
from tools.hypotheses import Hypothesis as Answer
from tools.replies import Described
from tools.wording import LONGEST_LABEL

TOGETHER, APART = 5, 8
"""How many pictures a question shows together, and how many are shown alone."""
LEAST_VOTES = 2
"""What a single asking says is no more than a guess: it needs another one to agree."""
LABEL_WORDS = 5
"""An answer of no more words is a label already; a longer one is shortened."""


async def proposed(desk: Desk, evidence: ArtefactId) -> tuple[Hypothesis, ...]:
    """Labels that two askings agree on, those with most votes first, and pairs of them."""
    ledger: tuple[Hypothesis, ...] = ()
    for mode, origin in (("hypotheses", "seen together"), ("apart", "seen alone")):
        ledger = entered(ledger, await explained(desk, evidence, mode, origin))
    ledger = entered(ledger, heads(ledger))
    agreed = sorted(
        (one for one in ledger if one.votes >= LEAST_VOTES), key=lambda one: -one.votes
    )[: desk.rules.hypotheses]
    return entered(agreed, pairs(agreed))


async def explained(
    desk: Desk, evidence: ArtefactId, mode: str, origin: Origin
) -> list[Hypothesis]:
    """The explainer's answers in one mode, as labels."""
    count = APART if mode == "apart" else TOGETHER
    said = await desk.use(
        "explain", f"asked the explainer: {origin}", evidence=evidence, mode=mode, count=count
    )
    answers: Sequence[Answer] = said.hypotheses
    labels = [(await label_of(desk, answer.text), answer.votes) for answer in answers]
    return [
        Hypothesis(claim=parse(label).text, origin=origin, votes=votes)
        for label, votes in labels
        if label is not None
    ]


async def label_of(desk: Desk, answer: str) -> str | None:
    """An answer in a few words; None if it names nothing that can be seen."""
    if len(answer.split()) <= LABEL_WORDS and len(answer) <= LONGEST_LABEL:
        return answer.strip(" .")
    try:
        shortened = await desk.use("refine", f"shortened {answer!r}", explanation=answer)
    except WontWork:  # where trying again may help nobody refused: the answer may have a label
        return None  # the other answers are still there
    outcome = shortened.outcome
    return outcome.text if isinstance(outcome, Described) else None


async def first_label(desk: Desk, evidence: ArtefactId) -> str | None:
    """What one question about the strongest pictures gives, as the paper asks it."""
    said = await desk.use(
        "explain", "asked one question", evidence=evidence, mode="describe", count=TOGETHER
    )
    return await label_of(desk, said.hypotheses[0].text) if said.hypotheses else None


def heads(ledger: Sequence[Hypothesis]) -> list[Hypothesis]:
    """What several longer labels end with: a table, where one is woolen and another yellow."""
    longer: dict[str, list[Hypothesis]] = defaultdict(list)
    for one in ledger:
        words = one.claim.split()
        if _claim(one).parts == 1:
            for start in range(1, len(words)):
                longer[" ".join(words[start:])].append(one)
    return [
        Hypothesis(claim=head, origin="part", votes=LEAST_VOTES)
        for head, shared in longer.items()
        if len(shared) > 1
    ]


def pairs(ledger: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Either of two that were given apart."""
    singles = [one for one in map(_claim, ledger) if one.parts == 1]
    made = (
        Claim(any_of=(*one.any_of, *other.any_of))
        for one, other in combinations(singles, 2)
        if not nested(one.text, other.text)
    )
    return [guessed(claim, "either") for claim in made]


def nested(one: str, other: str) -> bool:
    """All words of one are in the other, so that either is no more than the shorter one."""
    words, others = set(normal(one).split()), set(normal(other).split())
    return words <= others or others <= words


def _claim(one: Hypothesis) -> Claim:
    return parse(one.claim)
