"""Tables 9 and 11 on a tiny random model: what is compared with what, and on which questions."""

import asyncio
import os

import numpy as np
import pytest

from agent.findings import (
    Cost,
    FeatureFinding,
    Provenance,
    Verification,
)
from agent.store import Store
from benchmarks.paper import table9, table11
from benchmarks.paper.bench import Bench, command, options
from benchmarks.paper.candidates import Candidate, candidate, fault, settings_of
from benchmarks.paper.known import Known, Labelled, found_out, labelled
from benchmarks.paper.marks import Marker, marker_of, names, said
from benchmarks.paper.report import markdown
from benchmarks.paper.writing import TIMES, calibrated, written
from lmmscope.settings import load_settings
from sae_core.lmm.adapter import Prompt
from sae_core.scoring.estimate import Estimate
from sae_core.steering.hook import steering
from sae_core.steering.logits import reply_logits
from sae_core.steering.plan import Intervention, Row
from tests.benchmarks.paper.erring import lab_that_errs
from tests.sae_core.small_models import noise
from tests.tools.small_lab import small_lab
from tools.answers import AnswerSheet, Trial
from tools.failures import WontWork
from tools.question_sets import Asked
from tools.recipe import recipe_of
from tools.suspects import Suspect

BY_WORDS = Marker("words", by_words=True)
LABELS = {3: "cat", 7: "red cat", 11: "nothing that it can say"}


class Some:
    """Questions about random pictures, right by what the small model says for half of them."""

    digest = "some"

    def __len__(self):
        return 30

    def asked(self, number):
        kind = "is" if number % 3 else "what"
        return Asked(
            question=f"{kind} this the red cat", answer=("yes", "cat")[number % 2], kind=kind
        )

    def picture(self, number):
        return noise(24, 24, number)


@pytest.fixture
def bench(tmp_path):
    lab = small_lab(tmp_path, questions={"validate": Some(), "test": Some()})
    return Bench(load_settings("toybox"), lab, 0)


def some_of(labels):
    known = tuple(Known(f, label, "object", "one question", 0.0) for f, label in labels.items())
    return Labelled(known, "one question", 9)


def given(*words):
    parser = options("does", 1)
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--recipe")
    parser.add_argument("--strength", type=float, default=50.0)
    return parser.parse_args(words)


def marked_in_both_modes(bench):
    some = some_of(LABELS)
    strengths = {"paper": dict.fromkeys(LABELS, 50.0), "strict": calibrated(bench.lab, LABELS)}

    async def work():
        return {
            mode: await table9.marked(
                bench, BY_WORDS, some, written(bench.lab, each, mode, "what is this", tokens=3)
            )
            for mode, each in strengths.items()
        }

    return some, asyncio.run(work())


def test_a_label_is_named_by_all_words_of_one_alternative():
    assert names("a red cat on a mat.", "red cat")
    assert names("two cats.", "dog or cat")
    assert names("it is red.", "red color")
    assert not names("a cat.", "red cat")
    assert not names("a catalogue.", "cat")
    assert said("a cat.", "red cat") == 0.5
    assert said("a cat.", "red dog or cat") == 1


def test_a_judge_of_pictures_gives_no_marks_for_texts():
    assert marker_of(load_settings("toybox")).by_words
    served = load_settings("llava-next-8b")
    assert not marker_of(served).by_words
    marks = asyncio.run(BY_WORDS.marks(None, "cat", ["a cat", "no"]))
    assert marks == [10.0, 1.0]


def test_each_feature_is_compared_with_controls_of_its_own(bench):
    some, found = marked_in_both_modes(bench)
    for mode, one in found.items():
        assert one.done.mode == mode
        for way, control in table9.WAYS.items():
            texts = one.done.texts(control)
            assert len(texts) == len(LABELS)
            expected = [
                1 + 9 * said(text, known.label)
                for text, known in zip(texts, some.known, strict=True)
            ]
            assert one.marks[way] == expected
        written_to = [
            outcome.interventions[0].value for outcome in one.done.steered.of("wrong_sign")
        ]
        assert written_to == list(one.done.strengths)


def test_strict_strengths_are_chosen_among_multiples_of_the_peak(bench):
    for feature, strength in calibrated(bench.lab, LABELS).items():
        peak = bench.lab.index("explore").feature(feature).peak
        assert strength in [pytest.approx(times * peak) for times in TIMES]


def test_table_9_counts_replies_that_changed_and_says_what_marks_are(bench):
    some, found = marked_in_both_modes(bench)
    report = table9.report(some, found, BY_WORDS, "python -m x")
    changed = found["paper"].changed("the feature")
    first = report.tables[0].rows[0].cells
    assert first["n, paper"] == int(changed.sum())
    every = report.tables[1].rows[0].cells
    marks = found["strict"].marks["the feature"]
    assert isinstance(every["strict mode"], Estimate)
    assert every["strict mode"].value == pytest.approx(np.mean(marks))
    share = report.tables[2].rows[0].cells
    assert share["paper mode"].value == pytest.approx(changed.mean())
    assert share["the paper"] == 0.11
    text = markdown(report)
    assert "6.36" in text
    assert "no judge's mark from 1 to 10" in text


def test_replies_without_a_mark_count_nowhere_and_are_told(bench):
    some, found = marked_in_both_modes(bench)
    marks = {way: [None, *each[1:]] for way, each in found["paper"].marks.items()}
    found["paper"] = found["paper"]._replace(marks=marks)
    report = table9.report(some, found, Marker("a judge", by_words=False), "python -m x")
    for row in report.tables[1].rows:
        assert (row.cells["n, paper"], row.cells["n, strict"]) == (2, 3)
    assert f"{len(marks)} replies got no mark" in " ".join(report.notes)


def test_mode_paper_answers_as_the_whole_model_does_when_it_is_steered_as_published(bench):
    """The quick route over the rest of the model once knew strict alone."""
    lab, seeing = bench.lab, bench.lab.seeing
    write = (Intervention(feature=3, kind="clamp", value=50.0),)
    asked = asyncio.run(
        bench.call(
            "answers", numbers=(0, 1), trials=[Trial(interventions=write, mode="paper"), Trial()]
        )
    )
    sheets = [lab.artefacts.document(one.sheet, AnswerSheet) for one in asked.trials]
    for number in (0, 1):
        question, picture = Some().asked(number), Some().picture(number)
        inputs = seeing.adapter.prepare([Prompt((picture,), question.question)])
        tokenizer = seeing.adapter.processor.tokenizer
        (own,) = tokenizer(question.answer, add_special_tokens=False).input_ids
        import torch

        with (
            torch.no_grad(),
            steering(
                seeing.adapter, seeing.coder, seeing.hook, inputs.layouts, [Row(write)], "paper"
            ),
        ):
            logits_BSV = reply_logits(seeing.adapter, inputs.tensors, torch.tensor([[own]]))
        logits_V = logits_BSV[0, 0].float()
        others_V = torch.cat([logits_V[:own], logits_V[own + 1 :]])
        lead = float(logits_V[own] - others_V.max())
        assert sheets[0].answers[number].lead == pytest.approx(lead, abs=1e-4)
    assert sheets[0].answers[0].lead != pytest.approx(sheets[1].answers[0].lead, abs=1e-3)


def test_questions_that_are_counted_are_not_those_a_candidate_is_found_on():
    picked = table11.chosen(400, 100, seed=3)
    assert len(picked.counted) == 100
    assert not set(picked.counted) & set(picked.development)
    assert len(picked.counted) + len(picked.development) == 400
    assert picked != table11.chosen(400, 100, seed=4)


def test_a_suspect_is_weakened_where_it_speaks_for_the_wrong_answer_and_else_strengthened():
    speaks = Suspect(feature=1, by_image=0.1, by_text=2.0, separability=0.9)
    against = Suspect(feature=2, by_image=-0.5, by_text=0.0, separability=0.1)
    weaker, stronger = settings_of(speaks, 1.0), settings_of(against, 1.0)
    assert all(one.value < 1 and one.where == "question" for (one,) in weaker)
    assert all(one.value > 1 and one.where == "image" for (one,) in stronger)
    clamps = {
        one.suspect.feature: table11.blamed(one, 50.0)[0].interventions[0].value
        for one in (
            Candidate(speaks, weaker[0], 1, 2, 0),
            Candidate(against, stronger[0], 1, 2, 0),
        )
    }
    assert clamps == {1: 0.0, 2: 50.0}


def test_without_a_fault_there_is_no_candidate(bench):
    picked = table11.chosen(30, 12, 0)
    assert asyncio.run(fault(bench, picked.development)) is None


def test_a_candidate_is_the_suspect_that_mends_most_and_loses_least(tmp_path):
    bench = Bench(load_settings("toybox"), lab_that_errs(tmp_path), 0)

    async def work():
        wrong = await fault(bench, range(24))
        return wrong, await candidate(bench, wrong)

    wrong, best = asyncio.run(work())
    assert wrong.wrong == tuple(range(0, 24, 3))
    assert set(wrong.alike) == set(wrong.guards) == set(range(24)) - set(wrong.wrong)
    assert best.of == 8
    (one,) = best.setting
    assert one.feature == best.suspect.feature


def test_a_recipe_is_counted_in_both_modes_beside_the_candidate(tmp_path):
    bench = Bench(load_settings("toybox"), lab_that_errs(tmp_path), 0)
    file = tmp_path / "mended.json"
    setting = (Intervention(feature=5, kind="clamp", value=80.0),)
    recipe_of(bench.lab.seeing, setting).save(file)
    asked = given("--questions", "12")
    asked.recipe = file
    found = asyncio.run(table11.measure(bench, asked))
    names_of = [row.name for row in found.rows]
    assert names_of[:2] == ["recipe mended, paper", "recipe mended, strict"]
    assert sum(name.startswith("candidate") for name in names_of) == 2
    assert len(found.rows) == 8
    assert set(found.rows[0].before) == {True, False}
    report = table11.report(found, "python -m x")
    for row, counted in zip(report.tables[0].rows[1:], found.rows, strict=True):
        shares = [row.cells[name].value for name in ("better", "same", "worse")]
        assert sum(shares) == pytest.approx(1)
        moved = row.cells["right after"] - row.cells["right before"]
        assert moved == round(12 * (shares[0] - shares[2]))
        assert counted.before.tolist() == found.rows[0].before.tolist()
    paper = report.tables[0].rows[0].cells
    assert (paper["better"].value, paper["worse"].value) == (0.09, 0.02)


def counted(folder, questions):
    """Table 11 of the small model, which errs, with one feature at a high value."""
    bench = Bench(load_settings("toybox"), lab_that_errs(folder), 0)
    file = folder / "high.json"
    setting = (Intervention(feature=5, kind="clamp", value=80.0),)
    recipe_of(bench.lab.seeing, setting).save(file)
    asked = given("--questions", str(questions))
    asked.recipe = file
    return asyncio.run(table11.measure(bench, asked))


def test_with_fewer_questions_than_wanted_all_are_counted_and_there_is_no_candidate(tmp_path):
    """It once ended in a complaint about the arguments of a tool."""
    found = counted(tmp_path, 100)
    assert found.chosen.development == ()
    assert [len(row.before) for row in found.rows] == [24, 24, 24]
    told = markdown(table11.report(found, "python -m x"))
    assert "Share of 24 answers" in told
    assert "Wanted were 100 questions; there are 24." in told
    assert "No candidate: all questions are counted" in told


@pytest.mark.parametrize("left", [1, 3])
def test_too_few_questions_for_a_candidate_leave_the_other_rows(tmp_path, left):
    found = counted(tmp_path, 24 - left)
    assert len(found.chosen.development) == left
    assert [len(row.before) for row in found.rows] == [24 - left] * 3
    assert "No candidate: the development questions show no repeated fault." in found.notes


def test_a_candidate_that_can_not_be_sought_leaves_the_other_rows(tmp_path, monkeypatch):
    async def refused(*_):
        raise WontWork("The model's tokenizer has no token for '<unk>'")

    monkeypatch.setattr(table11, "candidate", refused)
    found = counted(tmp_path, 12)
    assert "No candidate: The model's tokenizer has no token for '<unk>'" in found.notes
    assert len(found.rows) == 3


def test_kinds_of_question_that_did_not_change_have_no_table(tmp_path):
    found = counted(tmp_path, 24)
    same = [row._replace(after=row.before) for row in found.rows]
    assert len(table11.report(found._replace(rows=tuple(same)), "x").tables) == 1
    other = [row._replace(after=~row.before) for row in found.rows]
    assert len(table11.report(found._replace(rows=tuple(other)), "x").tables) == 2


def finding(feature, label, status, category, coder="coder"):
    made = Verification(
        claim=label, pictures="p", evidence="0" * 64, sheet="0" * 64, checks=(), scores={},
        passed=True, one_shot=None,
    )  # fmt: skip
    return FeatureFinding(
        key=f"{feature}", run="r1", summary=label, cost=Cost(), feature=feature, status=status,
        provenance=Provenance(model="m", hook="h", coder=coder), label=label, category=category,
        evidence="0" * 64, verification=made,
    )  # fmt: skip


def test_labels_come_from_supported_findings_of_this_coder_where_there_are_any(bench):
    own = bench.lab.observer.digest
    provenance = Provenance(model="m", hook="h", coder=own)
    with Store(bench.lab.runs) as store:
        store.begin("r1", "what?", provenance, pid=os.getpid())
        for one in (
            finding(3, "cat", "supported", "object", own),
            finding(4, "red", "supported", "color", own),
            finding(5, "dog", "refuted", "object", own),
            finding(6, "mat", "supported", "object"),
        ):
            store.put(one)
    assert {one.feature for one in found_out(bench.lab.runs, own)} == {3, 4}
    some = asyncio.run(labelled(bench, "object", 8))
    assert [(one.feature, one.label) for one in some.known] == [(3, "cat")]
    assert some.source == "findings"


def test_the_command_leaves_out_what_is_usual():
    parser = options("does", 24)
    parser.add_argument("--strength", type=float, default=50.0)
    assert command("table9", parser.parse_args([]), parser) == "python -m benchmarks.paper.table9"
    typed = parser.parse_args(["--seed", "2", "--strength", "10", "--out", "x"])
    assert command("table9", typed, parser).endswith("table9 --seed 2 --strength 10.0")
