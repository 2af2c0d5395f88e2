"""Answers to sets of questions, with and without interventions, on a tiny random model."""

import json

import pytest
import torch
from PIL import Image

from sae_core.attribution.linear import ask, attribute
from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.steering.hook import steering
from sae_core.steering.logits import reply_logits
from sae_core.steering.plan import Intervention, Row
from tests.sae_core.small_models import noise
from tests.tools.small_lab import small_lab
from tools.answers import AnswerSheet, answers
from tools.failures import WontWork
from tools.question_sets import Asked, QuestionFile, evenly
from tools.suspects import suspects

pytestmark = pytest.mark.anyio

TEXTS = ("what is this", "is this red", "the cat", "is the cat red", "what")
SAID = ("yes", "no", "red cat", "the red cat", "cat")


class Some:
    """A few questions about random pictures; answers of one, two and three tokens."""

    digest = "some"

    def __len__(self):
        return 40

    def asked(self, number):
        return Asked(question=TEXTS[number % 5], answer=SAID[number // 2 % 5])

    def picture(self, number):
        return noise(24, 24, number)


@pytest.fixture
def lab(tmp_path):
    return small_lab(tmp_path, questions={"validate": Some(), "test": Some()})


async def sheets(lab, **arguments):
    found = await answers.call(lab, answers.parse(arguments))
    return found, [lab.artefacts.document(one.sheet, AnswerSheet) for one in found.trials]


def lead_alone(lab, number, row=None, hint=""):
    """One question's lead by the plain route: one prompt, the whole model."""
    questions, seeing = lab.questions("validate"), lab.seeing
    asked = questions.asked(number)
    prompt = Prompt((questions.picture(number),), f"{hint} {asked.question}".strip())
    inputs = seeing.adapter.prepare([prompt])
    ids = seeing.adapter.processor.tokenizer(asked.answer, add_special_tokens=False).input_ids
    with (
        torch.no_grad(),
        steering(seeing.adapter, seeing.coder, seeing.hook, inputs.layouts, [row or Row()]),
    ):
        logits_SV = reply_logits(seeing.adapter, inputs.tensors, torch.tensor([ids]))[0]
    leads = []
    for logits_V, token in zip(logits_SV, ids, strict=True):
        others_V = logits_V.clone()
        others_V[token] = -torch.inf
        leads.append(float(logits_V[token] - others_V.max()))
    return min(leads)


async def test_leads_are_those_of_each_question_asked_alone(lab):
    numbers = [31, 2, 0, 17, 4, 25, 39, 8]
    result, [sheet] = await sheets(lab, numbers=numbers)
    assert [one.number for one in sheet.answers] == numbers
    for one in sheet.answers:
        assert one.lead == pytest.approx(lead_alone(lab, one.number), abs=1e-4)
        assert one.right == (one.lead > 0)
    assert result.n == len(numbers)
    assert result.trials[0].right == sum(one.right for one in sheet.answers)


async def test_trials_are_answered_under_their_interventions_and_nothing_else(lab):
    writes = [
        (Intervention(feature=3, kind="add", value=40.0, where="text"),),
        (Intervention(feature=5, kind="scale", value=9.0, where="image"),),
    ]
    trials = [{"name": "plain"}]
    trials += [{"name": str(n), "interventions": one} for n, one in enumerate(writes)]
    _, found = await sheets(lab, numbers=[0, 3, 5], trials=trials)
    for sheet, row in zip(found, (Row(), *map(Row, writes)), strict=True):
        for one in sheet.answers:
            assert one.lead == pytest.approx(lead_alone(lab, one.number, row), abs=1e-4)
    plain, written = ([one.lead for one in sheet.answers] for sheet in found[:2])
    assert plain != pytest.approx(written, abs=0.01)


async def test_a_hint_is_said_before_the_question(lab):
    _, [sheet] = await sheets(lab, numbers=[0, 6], hint="the cat")
    for one in sheet.answers:
        assert one.lead == pytest.approx(lead_alone(lab, one.number, hint="the cat"), abs=1e-4)


async def test_controls_write_something_else_and_draw_by_their_seed(lab):
    write = (Intervention(feature=3, kind="add", value=40.0, where="text"),)
    kinds = [("wrong_sign", 0), ("random_feature", 1), ("random_feature", 2), ("random_feature", 1)]
    trials = [{"interventions": write}]
    trials += [{"interventions": write, "control": kind, "seed": seed} for kind, seed in kinds]
    _, found = await sheets(lab, numbers=[0], trials=trials)
    leads = [sheet.answers[0].lead for sheet in found]
    assert leads[2] == leads[4]
    assert len(set(leads)) == 4


async def test_sealed_questions_are_not_asked(lab):
    with pytest.raises(WontWork, match="test questions are sealed"):
        await sheets(lab, numbers=[0], split="test")
    assert (await sheets(lab.opening("test"), numbers=[0], split="test"))[0].n == 1


async def test_a_question_that_is_not_there_is_refused(lab):
    with pytest.raises(WontWork, match="no question 40 in this set: it has 40"):
        await sheets(lab, numbers=[40])


async def test_a_profile_without_questions_says_what_to_set(tmp_path):
    with pytest.raises(WontWork, match=r"Set data\.questions in it"):
        await sheets(small_lab(tmp_path), numbers=[0])


async def test_suspects_have_the_scores_of_attribution_and_tell_cases_apart(lab):
    """Scores question by question, and AUROC by comparing all pairs."""
    wrong, right = (0, 5, 10), (1, 6)
    given = {"wrong": wrong, "right": right, "answer": "yes", "instead": "no", "top": 100}
    found = await suspects.call(lab, suspects.parse(given))
    questions, seeing = lab.questions("validate"), lab.seeing

    def attributed(number):
        prompt = Prompt((questions.picture(number),), questions.asked(number).question)
        inputs = seeing.adapter.prepare([prompt])
        return attribute(ask(seeing.adapter, seeing.coder, seeing.hook, inputs, "yes", "no"))

    seen = {number: attributed(number) for number in (*wrong, *right)}
    assert found.difference == pytest.approx(sum(seen[n].difference for n in wrong) / 3, abs=1e-5)
    for one in found.suspects[:6]:
        for part, score in (("image", one.by_image), ("text", one.by_text)):
            mean = sum(float(seen[n].totals(part)[one.feature]) for n in wrong) / 3
            assert score == pytest.approx(mean, abs=1e-5)

        def peak(number, one=one):
            where = seen[number].layout.kind_T == 0
            at = where if one.part == "text" else ~where
            hit = seen[number].code.indices_NK[at] == one.feature
            return float((seen[number].code.values_NK[at] * hit).max())

        pairs = [(peak(a) > peak(b)) + (peak(a) == peak(b)) / 2 for a in wrong for b in right]
        assert one.separability == pytest.approx(sum(pairs) / len(pairs))
    worth = [abs(one.score) * abs(2 * one.separability - 1) for one in found.suspects]
    assert worth == sorted(worth, reverse=True)


def written(folder, *lines):
    path = folder / "questions.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_a_file_of_questions_is_read_with_its_pictures(tmp_path):
    Image.new("RGB", (4, 3), "red").save(tmp_path / "a.png")
    line = {"image": "a.png", "question": "is there a dog?", "answer": "no"}
    path = written(tmp_path, line, {**line, "kind": "is there", "tags": ["a beach"]})
    found = QuestionFile(path)
    assert found.asked(0) == Asked(question="is there a dog?", answer="no")
    assert found.asked(1).tags == ("a beach",)
    assert found.picture(1).size == (4, 3)
    before = found.digest
    Image.new("RGB", (4, 3), "blue").save(tmp_path / "a.png")
    assert QuestionFile(path).digest != before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"image": "a.png", "question": "q"}, "question 2: answer: Field required"),
        ({"image": "a.png", "question": "q", "answer": "a", "tag": 1}, "question 2: tag: Extra"),
        ([], "question 2: it: "),
    ],
)
def test_a_line_that_is_no_question_is_named(tmp_path, line, said):
    path = written(tmp_path, {"image": "a.png", "question": "q", "answer": "a"}, line)
    with pytest.raises(UserError, match=said):
        QuestionFile(path)


def test_questions_are_found_by_thing_and_place():
    asked = Asked(question="do you see an umbrella?", answer="no", tags=("a beach",))
    assert asked.about("umbrellas", "beach")
    assert asked.about(None, None)
    assert not asked.about("cup", "beach")
    assert not asked.about("umbrella", "kitchen")


def test_evenly_takes_from_first_to_last():
    assert evenly(range(10), 5) == (0, 2, 4, 6, 8)
    assert evenly(range(3), 5) == (0, 1, 2)
    assert len(set(evenly(range(1000), 384))) == 384
