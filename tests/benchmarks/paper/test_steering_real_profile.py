"""What writes features into the paper's target: tables 9 and 11, and the figures, as shipped."""

import asyncio
import json
import os
import sys

import pytest

from agent.findings import Cost, FeatureFinding, Provenance, Verification
from agent.store import Store
from benchmarks.paper import table9, table11
from benchmarks.paper.drawing import draw
from benchmarks.paper.figures import __main__ as figures
from lmmscope.laboratory import lab_alone
from lmmscope.settings import load_settings
from tests.lmmscope import stand_in, stand_in_server
from tests.sae_core import small_models
from tools.answers import AnswerSheet, answers

PROFILE = "llava-next-8b"
KNOWN = {"cat": "object", "red": "color", "happy face": "emotion", "the word tree": "text"}
NOBODYS = "0" * 64


def in_lab(profile, work):
    """What a profile's lab makes of it."""

    async def run():
        lab = lab_alone(load_settings(profile))
        try:
            return work(lab)
        finally:
            await lab.close()

    return asyncio.run(run())


def asked_about(folder, answer_of):
    """A file with 24 questions about two pictures, the second of which each third shows."""
    for at in range(2):
        stand_in.drawn(at).save(folder / f"{at}.png")
    lines = [
        {"image": f"{int(n % 3 == 0)}.png", "question": "is this red", "answer": answer_of(n)}
        for n in range(24)
    ]
    file = folder / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


def replied(lab):
    """The first word that the target says to both questions."""
    found = answers.function(lab, answers.parse({"numbers": (0, 1)})).trials[0]
    return {one.said for one in lab.artefacts.document(found.sheet, AnswerSheet).answers}


@pytest.fixture
def questions(paper, monkeypatch):
    """Questions that the target answers alike, rightly for two of three."""
    file = asked_about(paper, lambda _: "cat")
    monkeypatch.setenv("LMMSCOPE_DATA__QUESTIONS", str(file))
    (said,) = in_lab(PROFILE, replied)
    other = "red" if said != "red" else "cat"
    return asked_about(paper, lambda n: said if n % 3 else other)


@pytest.fixture
def findings(paper):
    """What is known of a few features: they stand for things, words and feelings."""

    def write(lab):
        coder = lab.observer.digest
        provenance = Provenance(model="m", hook="h", coder=coder)
        features = draw(lab.index("explore"), len(KNOWN), 0).features
        with Store(paper / "runs") as store:
            store.begin("r1", "what?", provenance, pid=os.getpid())
            for feature, (label, category) in zip(features, KNOWN.items(), strict=True):
                made = Verification(
                    claim=label, pictures="p", evidence=NOBODYS, sheet=NOBODYS, checks=(),
                    scores={}, passed=True, one_shot=None,
                )  # fmt: skip
                store.put(
                    FeatureFinding(
                        key=label, run="r1", summary=label, cost=Cost(), feature=feature,
                        status="supported", provenance=provenance, label=label,
                        category=category, evidence=NOBODYS, verification=made,
                    )
                )  # fmt: skip
        return dict(zip(KNOWN, features, strict=True))

    return in_lab(PROFILE, write)


def drawn(monkeypatch, *words):
    """The page that the figures come to."""
    monkeypatch.setattr(sys, "argv", ["figures", *words])
    figures.main()


def sections(page):
    """What is said below each heading."""
    parts = page.read_text().split("\n## ")[1:]
    return {
        title.partition(" (Fig")[0]: text for title, _, text in (p.partition("\n") for p in parts)
    }


def test_a_judge_that_reads_texts_marks_the_replies(paper, monkeypatch, types):
    other = stand_in_server._reply

    def reply(content):
        return "[EFFECT] 7" if "[EFFECT]" in json.dumps(content) else other(content)

    monkeypatch.setattr(stand_in_server, "_reply", reply)
    report = types(table9.main, "--profile", PROFILE, "--features", "2")
    for row in report["tables"][1]["rows"]:
        assert [row["cells"][f"{mode} mode"]["value"] for mode in table9.MODES] == [7, 7]
        assert [row["cells"][f"n, {mode}"] for mode in table9.MODES] == [2, 2]
    notes = " ".join(report["notes"])
    assert "2 object features, labelled by one question" in notes
    assert "0 replies got no mark" in notes
    assert (paper / "runs" / "paper" / "table9.md").exists()


@pytest.mark.usefixtures("paper")
def test_table_11_says_in_one_line_which_questions_it_wants(refuses):
    told = refuses(table11.main, "--profile", PROFILE)
    assert told.startswith(f"Profile '{PROFILE}' names no questions with known answers")
    assert '{"image": "a.png", "question": "is there a dog?", "answer": "no"}' in told
    assert told.endswith("set LMMSCOPE_DATA__QUESTIONS=questions.jsonl")


@pytest.mark.usefixtures("paper")
def test_questions_that_are_not_there_are_told_in_one_line(refuses, monkeypatch):
    monkeypatch.setenv("LMMSCOPE_DATA__QUESTIONS", "questions.jsonl")
    told = refuses(table11.main, "--profile", PROFILE)
    assert told.startswith("The questions questions.jsonl can't be read")


def test_table_11_counts_answers_of_ones_own_questions(questions, types, findings):
    report = types(table11.main, "--profile", PROFILE, "--questions", "8")
    first, *rows = (row["cells"] | {"name": row["name"]} for row in report["tables"][0]["rows"])
    assert first["better"]["value"] == 0.09
    named = [row["name"] for row in rows]
    assert named[0] == f"irrelevant {findings['the word tree']}, 50, paper"
    assert sum(name.startswith("candidate") for name in named) == 2
    assert {row["n"] for row in rows} == {8}
    assert {row["right before"] for row in rows} <= set(range(1, 8))
    assert f"({questions}); candidates" in " ".join(report["notes"])
    assert "(findings); no question has it" in report["notes"][0]


def test_figures_without_questions_are_all_but_one(paper, findings, monkeypatch, capsys):
    drawn(monkeypatch, "--profile", PROFILE)
    page = paper / "runs" / "paper" / "gallery.md"
    told = sections(page)
    assert len(told) == len(figures.FIGURES)
    (out,) = (title for title, text in told.items() if "Left out" in text)
    assert out == "A hallucination, and what speaks for it"
    assert "LMMSCOPE_DATA__QUESTIONS=questions.jsonl" in told[out]
    assert "left out hallucination: " in capsys.readouterr().err
    for name in ("concepts", "emotions", "low_level"):
        assert page.with_name(f"{name}.png").stat().st_size > 5000
    assert f"{findings['cat']} (cat)" in told["Concepts, and where their features fire"]
    assert f"{findings['happy face']} (happy face)" in told["Emotions, and how the model feels"]
    assert "1 features of things and places" in told["Stories, before and after"]


@pytest.mark.usefixtures("findings", "questions")
def test_a_hallucination_is_drawn_from_ones_own_questions(paper, monkeypatch):
    drawn(monkeypatch, "--profile", PROFILE, "--only", "hallucination", "--out", "drawn")
    (text,) = sections(paper / "drawn" / "gallery.md").values()
    assert "by chance one of 8 development questions" in text
    assert "Written in: the candidate of Table 11, in mode strict; a feature of a written" in text
    assert "Not found" not in text
    assert (paper / "drawn" / "hallucination.png").stat().st_size > 5000


def test_of_a_target_without_places_no_maps_are_drawn(paper, coder_for, monkeypatch):
    coder_for("instructblip-7b", small_models.instructblip(depth=32))
    drawn(monkeypatch, "--profile", "instructblip-7b")
    told = sections(paper / "runs" / "paper" / "gallery.md")
    low = told["Features that are active nearly everywhere"]
    assert "queries that have no place in it" in low
    assert not (paper / "runs" / "paper" / "low_level.png").exists()
