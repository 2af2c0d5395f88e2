"""The bench: what a trial says, measures and keeps, and how it is stopped; on a tiny model."""

from threading import Event
from time import monotonic, sleep

import pytest
from PIL import Image

from lmmscope.bench_model import BenchModel
from lmmscope.lane import MOST_WAITING, Lane
from lmmscope.review_steering import ModelBench
from review.bench import Question, Told, Trial, Why
from review.hands import Refused
from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.steering.experiment import steer
from tests.tools.small_lab import small_lab
from tools.recipe import Recipe

LONG = 60


def waited(bench, name):
    until = monotonic() + LONG
    while not (job := bench.job(name)).over:
        assert monotonic() < until, job
        sleep(0.005)
    return job


@pytest.fixture
def lab(tmp_path):
    return small_lab(tmp_path)


@pytest.fixture
def bench(lab):
    made = ModelBench(BenchModel(lambda: lab))
    yield made
    made.close()


@pytest.fixture
def firing(lab):
    """A feature that fires on the pictures of the index."""
    index = lab.index("explore")
    return max(range(index.features), key=lambda f: index.feature(f).peak)


def trial(feature, **fields):
    usual = {"prompt": "what is this", "writes": [{"feature": feature, "strength": 3}], "tokens": 4}
    return Trial(**{**usual, **fields})


def test_a_trial_says_what_the_experiment_says_and_its_recipe_does_it_again(bench, lab, firing):
    picture = lab.artefacts.put_picture(lab.picture("explore", 0))
    asked = trial(firing, picture=picture, controls=["wrong_sign", "prompt_only"], hint="look")
    job = waited(bench, bench.begin(asked))
    assert (job.state, job.note) == ("done", "")
    told = lab.artefacts.document(job.kept, Told)
    names = [one.name for one in told.replies]
    assert names == ["unsteered", "steered", "wrong_sign", "prompt_only"]
    recipe = lab.artefacts.document(told.recipe, Recipe).check(lab.seeing)
    assert recipe.interventions[0].value == 3 * lab.index("explore").feature(firing).peak
    seeing, prompt = lab.seeing, Prompt((lab.artefacts.picture(picture),), "what is this")
    again = steer(
        seeing.adapter, seeing.coder, seeing.hook, prompt, [recipe.interventions],
        tokens=4, controls=["wrong_sign"],
    )  # fmt: skip
    outcomes = (again.unsteered, *again.entries, *again.controls)
    assert [one.text for one in outcomes] == [one.text for one in told.replies[:3]]
    assert told.replies[1].perplexity == pytest.approx(again.entries[0].perplexity)
    hinted = steer(
        seeing.adapter, seeing.coder, seeing.hook, prompt._replace(text="look what is this"),
        [recipe.interventions], tokens=4,
    )  # fmt: skip
    assert told.replies[3].text == hinted.unsteered.text
    assert [one.text for one in job.replies] == [one.text for one in told.replies]


def test_a_question_is_answered_with_maps_and_tokens(bench, lab):
    picture = lab.artefacts.put_picture(lab.picture("explore", 1))
    asked = Question(picture=picture, question="what is this", answer="yes", baseline="no", top=50)
    job = waited(bench, bench.begin(asked))
    assert job.state == "done", job.note
    why = lab.artefacts.document(job.kept, Why)
    assert lab.artefacts.is_picture(why.heat)
    assert len(why.words) == len(why.totals)
    assert sum(why.totals) == pytest.approx(why.by_text, abs=1e-4)
    sizes = [abs(one.image + one.text) for one in why.causes]
    assert sizes == sorted(sizes, reverse=True)
    assert len({one.feature for one in why.causes}) == len(why.causes)


def test_a_picture_is_made_to_fit_before_the_model_sees_it(lab, firing):
    sizes = []

    def fitted(picture):
        sizes.append(picture.size)
        return picture.resize((24, 24))

    bench = ModelBench(BenchModel(lambda: lab, fitted))
    picture = lab.artefacts.put_picture(Image.new("RGB", (50, 70)))
    assert waited(bench, bench.begin(trial(firing, picture=picture))).state == "done"
    assert sizes == [(50, 70)]
    bench.close()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"writes": [{"feature": 4000, "strength": 1}]}, "No feature 4000"),
        ({"where": "image"}, "at image positions"),
        ({"prompt": "<image> what"}, "stands for a picture"),
    ],
)
def test_what_can_not_be_tried_says_why_in_a_line(bench, firing, fields, said):
    job = waited(bench, bench.begin(trial(firing, **fields)))
    assert job.state == "failed"
    assert said in job.note


def test_a_model_that_can_not_be_loaded_is_told_and_tried_again(lab, firing):
    faults = [UserError("There is no model at nowhere")] * 2

    def make():
        if faults:
            raise faults.pop()
        return lab

    bench = ModelBench(BenchModel(make))
    assert bench.model().state == "not loaded"
    bench.model(load=True)
    until = monotonic() + LONG
    while bench.model().state != "failed":
        assert monotonic() < until
        sleep(0.005)
    assert bench.model().note == "There is no model at nowhere"
    assert waited(bench, bench.begin(trial(firing))).note == "There is no model at nowhere"
    assert bench.model().state == "failed"
    assert waited(bench, bench.begin(trial(firing))).state == "done"
    assert bench.model().coder == lab.seeing.digest
    assert bench.peaks([firing, 10**6])[0].feature == firing
    bench.close()


def test_one_is_done_at_a_time_the_others_wait_and_too_many_are_refused():
    begun, go_on = Event(), Event()

    def do(work):
        begun.set()
        go_on.wait(LONG)
        work.tell()
        return "kept"

    lane = Lane(do)
    names = [lane.begin(trial(1)) for _ in range(MOST_WAITING + 1)]
    begun.wait(LONG)
    assert lane.job(names[2]).note == "2 before it"
    with pytest.raises(Refused, match="4 trials wait already"):
        lane.begin(trial(1))
    lane.stop(names[0])
    lane.stop(names[1])
    assert lane.job(names[1]).state == "stopped"
    go_on.set()
    assert [waited(lane, one).state for one in names] == ["stopped", "stopped", *["done"] * 3]
    lane.close()


def test_what_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr("lmmscope.lane.SECONDS", -1)

    def do(work):
        work.begin()
        work.tell()
        return "kept"

    lane = Lane(do)
    assert "fewer tokens" in waited(lane, lane.begin(trial(1))).note
    lane.close()


def test_what_has_ended_stays_as_it_is():
    lane = Lane(lambda _: "kept")
    name = lane.begin(trial(1))
    done = waited(lane, name)
    lane.stop(name)
    assert lane.job(name) == done
    assert lane.job("never") is None
    lane.close()
