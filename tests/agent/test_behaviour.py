"""The behaviour loop: what is reproduced, chosen and sealed, on a model that answers by a rule.

The rule says by how many logits each right answer leads, and what interventions do to that; the
tools themselves are tested on real models in tests/tools/test_answers.py.
"""

from math import log
from typing import NamedTuple

import pytest

from agent.behaviour import Case, blame, conclude, reproduce, seal, sweep, why
from agent.behaviour.documents import Blamed, Sealed, Swept
from agent.behaviour.questions import MOST_GUARDS, chosen
from agent.behaviour.seal import SAME
from agent.desk import Desk
from agent.findings import BehaviourFinding, Culprit, Provenance
from agent.plan import Fix, Why
from sae_core.scoring.significance import mcnemar_p
from sae_core.steering.plan import Intervention
from tests.sae_core.small_models import noise
from tests.tools.small_lab import small_lab
from tools.answers import Answered, AnswersArguments, AnswerSheet, AnswersResult, TrialResult
from tools.failures import WontWork
from tools.picture_id import PictureId
from tools.question_sets import Asked
from tools.recipe import Recipe
from tools.says import Likely, SaysResult
from tools.suspects import Suspect, SuspectsResult

pytestmark = pytest.mark.anyio

TASK = Fix(behaviour="sees umbrellas that are not there", thing="umbrella", place="beach")
OWN = "<user>"
"""What the random model says to nearly everything."""
GOOD, BLUNT, IDLE = 3, 5, 7
"""A feature that mends and harms little, one that mends and harms much, one that does nothing."""


class Beaches:
    """One in four questions is about an umbrella that is not on a beach."""

    def __init__(self, name, size=400):
        self.digest, self.size = name, size

    def __len__(self):
        return self.size

    def asked(self, number):
        if number % 4 == 0:
            return Asked(question="is there an umbrella?", answer="no", tags=("a beach",))
        if number % 4 == 1:
            return Asked(question="is there an umbrella?", answer="yes", kind="there")
        return Asked(question="is there a cup?", answer="yes", kind="cup", tags=("a beach",))

    def picture(self, number):
        return noise(24, 24, number)


class Fewer(Beaches):
    """The same, but only one question in eighty is about an umbrella that is there."""

    def asked(self, number):
        there = number % 4 == 1 and number % 80 != 1
        return super().asked(2 if there else number)


class Rule(NamedTuple):
    """How far right answers lead, and how far interventions move them."""

    targets: float = -1.0
    """Where the umbrella is absent; below zero it is seen all the same."""
    others: float = 2.0
    """Everywhere else, and more from one question to the next."""
    good: float = 1.0
    """What a gain of one on the good feature does to the targets."""
    controls: float = 0.0
    """What any control does to the targets."""
    denies: float = 0.0
    """What a gain of one on the good feature takes from umbrellas that are there."""

    def lead(self, number, trial):
        gain = {one.feature: (one.value or 0) - 1 for one in trial.interventions}
        about = number % 4 == 0
        if trial.control is not None:
            return self.base(number) + (self.controls if about else 0)
        moved = gain.get(GOOD, 0) * (self.good if about else -0.05)
        moved -= gain.get(GOOD, 0) * (self.denies if number % 80 == 1 else 0)
        moved += gain.get(BLUNT, 0) * (1.5 if about else -1.5)
        return self.base(number) + moved

    def base(self, number):
        return self.targets if number % 4 == 0 else self.others + number / 400


class Desks(Desk):
    """A desk whose model answers by a rule."""

    rule = Rule()

    async def use(self, tool, text="", /, *, lab=None, **arguments):
        lab = lab or self.lab
        if tool == "suspects":
            found = tuple(
                Suspect(feature=f, by_image=0.0, by_text=-0.5, separability=0.9)
                for f in (BLUNT, IDLE, GOOD)
            )
            return SuspectsResult(difference=1.0, suspects=found)
        if tool != "answers":
            raise WontWork(f"nobody has {tool}")
        args = AnswersArguments.model_validate(arguments)
        questions = lab.questions(args.split)
        self.say("tool", text, tool=tool, result={"n": len(args.numbers), "hint": args.hint})
        return AnswersResult(
            n=len(args.numbers),
            trials=tuple(self._answered(lab, args, questions, trial) for trial in args.trials),
        )

    def _answered(self, lab, args, questions, trial):
        leads = {number: self.rule.lead(number, trial) for number in args.numbers}
        said = {n: questions.asked(n).answer for n in args.numbers}
        other = {"yes": "no", "no": "yes"}
        sheet = AnswerSheet(
            split=args.split,
            questions=questions.digest,
            hint=args.hint,
            trial=trial,
            answers=tuple(
                Answered(number=n, said=said[n] if lead > 0 else other[said[n]], lead=lead)
                for n, lead in leads.items()
            ),
        )
        right = sum(one.right for one in sheet.answers)
        return TrialResult(name=trial.name, right=right, sheet=lab.artefacts.put_document(sheet))


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def desk_with(tmp_path):
    def make(rule=None, kind=Desks, questions=None):
        sets = questions or {"validate": Beaches("dev"), "test": Beaches("sealed")}
        lab = small_lab(tmp_path, questions=sets)
        known = Provenance(model="small", hook="layers.1", coder="c")
        desk = kind(lab, "run-1", provenance=known)
        desk.rule = rule or Rule()
        return desk

    return make


async def whole(desk):
    """All steps, each document through JSON as the graph keeps it."""
    case = Case.model_validate_json((await reproduce(desk, TASK)).model_dump_json())
    if not case.reproduced:
        return conclude(desk, TASK, case)
    blamed = Blamed.model_validate_json((await blame(desk, case)).model_dump_json())
    swept = Swept.model_validate_json((await sweep(desk, case, blamed)).model_dump_json())
    if not swept.chosen:
        return conclude(desk, TASK, case, blamed, swept)
    sealed = Sealed.model_validate_json((await seal(desk, TASK, case, swept)).model_dump_json())
    finding = conclude(desk, TASK, case, blamed, swept, sealed)
    return BehaviourFinding.model_validate_json(finding.model_dump_json())


async def test_the_wrong_answer_that_comes_most_is_the_behaviour(desk_with):
    case = await reproduce(desk_with(), TASK)
    assert (case.wrong, case.right, case.reproduced) == ("yes", "no", True)
    assert case.rate.value == 1
    assert set(case.targets) == set(range(0, 400, 4))
    assert set(case.guards) == set(range(400)) - set(case.targets)


async def test_a_model_without_the_fault_is_not_blamed_for_it(desk_with):
    finding = await whole(desk_with(Rule(targets=1.0)))
    assert finding.status == "not reproduced"
    assert finding.reproduced is not None
    assert finding.reproduced.value == 0
    assert finding.recipe is None


async def test_the_feature_that_mends_without_harm_is_chosen_and_tested_once(desk_with):
    desk = desk_with()
    finding = await whole(desk)
    assert finding.status == "fixed"
    recipe = desk.lab.artefacts.document(finding.recipe, Recipe)
    assert {one.feature for one in recipe.interventions} == {GOOD}
    first = finding.sealed[0]
    assert (first.name, first.n, first.better, first.worse) == ("recipe", 100, 100, 0)
    assert first.p == pytest.approx(2 / 2**100)
    names = {one.name for one in finding.sealed}
    assert {"wrong sign", "random feature 1", "random direction 1", "prompt only"} < names
    sides = {one.name: one for one in finding.side_effects}
    assert (sides["all others"].n, sides["all others"].worse) == (300, 0)
    assert (sides["cup"].n, sides["there"].n) == (200, 100)


async def test_every_setting_that_was_tried_is_told_with_its_harm(desk_with):
    finding = await whole(desk_with())
    tried = [({i["feature"] for i in one["interventions"]}, one) for one in finding.tried]
    assert {BLUNT, IDLE, GOOD} <= set().union(*(features for features, _ in tried))
    assert any(len(features) == 2 for features, _ in tried)
    assert max(one["harm"] for features, one in tried if features == {BLUNT}) > 0.02


async def test_nothing_is_sealed_where_all_that_mends_does_harm(desk_with):
    desk = desk_with(Rule(good=0.0, others=0.01))
    finding = await whole(desk)
    assert finding.status == "not fixed"
    assert finding.sealed == ()
    assert "nothing that was tried mends without harm" in finding.summary


async def test_a_recipe_no_better_than_its_controls_is_no_fix(desk_with):
    """Every control mends as much: the feature itself does nothing that others would not."""
    finding = await whole(desk_with(Rule(controls=2.0)))
    assert finding.status == "improved"
    assert "not better than wrong sign" in finding.summary


async def test_the_sealed_questions_open_for_one_recipe_alone(desk_with):
    desk = desk_with()
    case = await reproduce(desk, TASK)
    swept = Swept(tried=(), chosen=(scaled(GOOD, 3.0),))
    once = await seal(desk, TASK, case, swept)
    assert await seal(desk, TASK, case, swept) == once
    with pytest.raises(WontWork, match="for another recipe"):
        await seal(desk, TASK, case, Swept(tried=(), chosen=(scaled(GOOD, 4.0),)))


async def test_what_only_denies_the_thing_everywhere_is_no_fix(desk_with):
    """Umbrellas that are there are asked about so rarely that all others drown their loss."""
    sets = {"validate": Fewer("dev"), "test": Fewer("sealed", 2000)}
    swept = Swept(tried=(), chosen=(scaled(GOOD, 3.0),))
    for denies, status, worse in ((0.0, "fixed", 0), (4.0, "not fixed", 9)):
        desk = desk_with(Rule(denies=denies), questions=sets)
        case = await reproduce(desk, TASK)
        sealed = await seal(desk, TASK, case, swept)
        (same,) = (one for one in sealed.side_effects if one.name == SAME)
        assert (same.n, same.worse) == (9, worse)
        assert sealed.harm.value <= 0.02
        assert conclude(desk, TASK, case, swept=swept, sealed=sealed).status == status


@pytest.mark.parametrize(
    ("wording", "seed", "dev"),
    [("umbrellas again", 0, "dev"), (TASK.behaviour, 1, "dev"), (TASK.behaviour, 0, "more")],
)
async def test_no_other_wording_seed_or_development_set_opens_them_anew(
    desk_with, wording, seed, dev
):
    """Nothing is paid for a second try, so whoever tries another recipe needs other questions."""
    desk = desk_with()
    case = await reproduce(desk, TASK)
    await seal(desk, TASK, case, Swept(tried=(), chosen=(scaled(GOOD, 3.0),)))
    again = desk_with(questions={"validate": Beaches(dev), "test": Beaches("sealed")})
    again.keeper = desk.keeper
    again.provenance = desk.provenance.model_copy(update={"seed": seed})
    task = TASK.model_copy(update={"behaviour": wording})
    with pytest.raises(WontWork, match="for another recipe"):
        await seal(again, task, case, Swept(tried=(), chosen=(scaled(GOOD, 4.0),)))


async def test_harm_on_sealed_questions_undoes_a_fix(desk_with):
    desk = desk_with(Rule(others=0.5))
    case = await reproduce(desk, TASK)
    sealed = await seal(desk, TASK, case, Swept(tried=(), chosen=(scaled(BLUNT, 1.7),)))
    assert sealed.removed.value == 1
    assert sealed.harm.value > 0.02
    assert conclude(desk, TASK, case, sealed=sealed).status == "not fixed"


async def test_a_thing_that_no_question_is_about_is_named(desk_with):
    with pytest.raises(WontWork, match="about 'kettle' on pictures tagged 'beach'"):
        await reproduce(desk_with(), TASK.model_copy(update={"thing": "kettle"}))


def test_a_large_set_is_asked_in_part():
    picked = chosen(Beaches("large", 8000), TASK)
    assert len(picked.others) == MOST_GUARDS
    assert max(picked.others) > 7900


async def test_the_tools_themselves_fit_the_steps(desk_with):
    """With the real tools on a random model; what it does there means nothing."""
    desk = desk_with(kind=Desk, questions={"validate": Spoken(60), "test": Spoken(60, "sealed")})
    task = Fix(behaviour="says something else", thing="cat")
    case = await reproduce(desk, task)
    assert case.reproduced
    blamed = await blame(desk, case)
    assert all(isinstance(one, Culprit) for one in blamed.culprits)
    swept = await sweep(desk, case, blamed)
    assert swept.tried
    sealed = await seal(desk, task, case, Swept(tried=(), chosen=(scaled(GOOD, 2.0),)))
    assert [one.n for one in sealed.counts] == [len(case.targets)] * 8


class Spoken:
    """To half of the questions the random model gives the right answer, to the others the same."""

    def __init__(self, size, digest="spoken"):
        self.size, self.digest = size, digest

    def __len__(self):
        return self.size

    def asked(self, number):
        if number % 2:
            return Asked(question="what is the cat", answer="red")
        return Asked(question="what is this", answer=OWN)

    def picture(self, number):
        return noise(24, 24, number)


def scaled(feature, value):
    return Intervention(feature=feature, kind="scale", value=value, where="text")


@pytest.mark.parametrize(
    ("better", "worse", "p"), [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (8, 1, 20 / 512)]
)
def test_mcnemars_test_is_exact(better, worse, p):
    assert mcnemar_p(better, worse) == mcnemar_p(worse, better) == pytest.approx(p)


async def test_why_compares_the_answer_with_the_next_likely_word(desk_with):
    """On the random model; nobody there explains features, and that is no failure."""
    desk = desk_with(kind=Desk)
    found = await why(desk, Why(picture=PictureId(number=1), question="what is this"))
    said = await desk.use("says", picture={"number": 1}, question="what is this")
    first, second = said.first[:2]
    assert (found.answer, found.instead) == (first.word, second.word)
    assert found.difference == pytest.approx(log(first.probability / second.probability), abs=1e-3)
    assert found.said == said.text
    assert found.reasons
    assert {one.label for one in found.reasons} == {None}
    strengths = [abs(one.by_image + one.by_text) for one in found.reasons]
    assert strengths == sorted(strengths, reverse=True)


async def test_why_compares_no_word_with_itself_in_other_letters(desk_with, monkeypatch):
    desk, asked = desk_with(kind=Desk), {}
    first = [Likely(word=word, probability=0.2) for word in ("Yes", "yes", "YES", "no")]
    told = SaysResult(text="Yes", first=tuple(first))

    async def use(tool, _text, **arguments):
        asked[tool] = arguments
        if tool == "attribute":
            raise WontWork("far enough")
        return told

    monkeypatch.setattr(desk, "use", use)
    with pytest.raises(WontWork, match="far enough"):
        await why(desk, Why(picture=PictureId(number=1), question="is there a cup?"))
    assert (asked["attribute"]["answer"], asked["attribute"]["baseline"]) == ("Yes", "no")


async def test_why_explains_the_answer_that_was_asked_about(desk_with):
    task = Why(picture=PictureId(number=1), question="what is this", answer="no", instead="yes")
    found = await why(desk_with(kind=Desk), task)
    assert (found.answer, found.instead) == ("no", "yes")
