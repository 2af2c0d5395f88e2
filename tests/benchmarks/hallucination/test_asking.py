"""Asking: nothing twice, with a recipe and without, and what the report makes of both."""

import pytest

from benchmarks.hallucination.asking import Asked, Asker
from benchmarks.hallucination.commanding import AS_IT_IS, WITH, asked, report
from benchmarks.hallucination.hallusion import Hallusion
from benchmarks.hallucination.hallusion_toybox import posed
from benchmarks.hallucination.kept import Kept
from benchmarks.hallucination.pictures import Picture
from benchmarks.hallucination.shares import numbered, paired, some
from benchmarks.paper.report import markdown
from sae_core.steering.plan import Intervention
from tests.sae_core.small_models import noise
from tools.recipe import recipe_of

TOKENS = 3


def question(seed, text="what is this"):
    return Asked(text, Picture(lambda: noise(24, 24, seed)))


def recipe(lab, where="all"):
    written = Intervention(feature=3, kind="clamp", value=200.0, where=where)
    return recipe_of(lab.seeing, (written,))


@pytest.fixture
def asker(bench):
    """Asks, and counts how many prompts the model reads."""

    def make(kept):
        made = Asker(bench.lab, "small", batch=2, kept=kept)
        read, prepare = [], bench.lab.target.prepare
        bench.lab.target.prepare = lambda prompts: read.append(len(prompts)) or prepare(prompts)
        return made, read

    yield make
    vars(bench.lab.target).pop("prepare", None)


def test_the_same_question_is_asked_once(asker):
    made, read = asker(Kept())
    said = made.replies([question(0), question(1), question(0), question(2)], TOKENS)
    assert said[0] == said[2]
    assert read == [2, 1]
    assert made.replies([question(2), question(1)], TOKENS) == [said[3], said[1]]
    assert read == [2, 1]
    made.replies([question(1)], TOKENS + 1)
    assert read == [2, 1, 1]


def test_a_killed_run_goes_on(asker, tmp_path):
    path = tmp_path / "said.jsonl"
    made, read = asker(Kept(path))
    first = made.replies([question(seed) for seed in range(3)], TOKENS)
    # A kill in the midst of a line.
    path.write_bytes(path.read_bytes()[:-4])
    again, read = asker(Kept(path))
    assert again.replies([question(seed) for seed in range(3)], TOKENS) == first
    assert read == [1]
    last, read = asker(Kept(path))
    assert last.replies([question(seed) for seed in range(3)], TOKENS) == first
    assert read == []


def test_batches_with_and_without_pictures_give_what_each_gives_alone(asker):
    made, read = asker(Kept())
    mixed = [question(0), Asked("what is this", None), question(1), Asked("is this a cat", None)]
    said = made.replies(mixed, TOKENS)
    assert read == [2, 2]
    alone, _ = asker(Kept())
    assert [alone.replies([one], TOKENS)[0] for one in mixed] == said


def test_a_recipe_changes_what_is_said_and_is_kept_apart(asker, bench):
    made, _ = asker(Kept())
    plain = made.replies([question(seed) for seed in range(4)], TOKENS)
    written = made.replies([question(seed) for seed in range(4)], TOKENS, recipe(bench.lab))
    assert plain != written
    assert made.replies([question(seed) for seed in range(4)], TOKENS) == plain


def test_a_recipe_for_pictures_leaves_questions_without_one_alone(asker, bench):
    made, _ = asker(Kept())
    bare, only = [Asked("what is this", None)], recipe(bench.lab, where="image")
    assert made.replies(bare, TOKENS, only) == made.replies(bare, TOKENS)


def test_the_report_tells_what_a_recipe_changed(bench):
    task = Hallusion(posed(0, 56), ("note",), None, 0)
    task.tokens = 2
    said = asked(bench, task, recipe(bench.lab), None)
    assert set(said) == {AS_IT_IS, WITH}
    # A random model says neither: let it answer.
    said = {AS_IT_IS: ["yes"] * 56, WITH: ["no", "no", *["yes"] * 54]}
    told = report("hallusion", "typed", task, said, 0)
    rows = {row.name: row.cells for row in told.tables[-1].rows}
    assert (rows["easy"]["better"], rows["easy"]["worse"]) == (1, 1)
    assert (rows["all"]["better"], rows["all"]["same"], rows["all"]["worse"]) == (1, 54, 1)
    assert told.tables[0].columns == (AS_IT_IS, WITH)
    assert told.tables[0].rows[0].cells[AS_IT_IS].value == 0.5
    assert "| easy | 1 | 26 | 1 | 1 |" in markdown(told)


def test_pairs_are_counted_and_tested_by_hand():
    before = numbered(["a", "b", "b", "b", "b", "b"]) == 0
    after = ~before
    found = paired(before, after, numbered(range(6)), 0)
    assert (found.better, found.same, found.worse) == (5, 0, 1)
    assert found.p == pytest.approx(2 * 7 / 64)
    assert found.change.value == pytest.approx(4 / 6)


def test_some_are_whole_clusters_by_chance():
    clusters = numbered([at // 3 for at in range(30)])
    chosen = some(clusters, 10, 0)
    assert chosen.sum() == 9
    assert all(chosen[clusters == one].all() for one in set(clusters[chosen]))
    assert some(clusters, 1, 0).sum() == 3
    assert some(clusters, None, 0).all()
    assert (some(clusters, 10, 0) != some(clusters, 10, 1)).any()
