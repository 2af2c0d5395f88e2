"""The Python API: what a notebook gets is what the commands do, wherever it is called from."""

import asyncio
import subprocess
import sys

import pytest

from lmmscope import Scope, UserError
from lmmscope.showing import Answer, Findings, markdown
from toybox.planted import plant

RARE = next(number for number, one in enumerate(plant(0)) if one.rule == "single")


@pytest.fixture(scope="module")
def scope(tmp_path_factory):
    """Planted features on few pictures."""
    heard = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LMMSCOPE_DATA__EXPLORE_PICTURES", "80")
        patch.setenv("LMMSCOPE_DATA__HELD_OUT_PICTURES", "40")
        made = Scope(runs=tmp_path_factory.mktemp("runs"), planted_seed=0, listen=heard.append)
    with made:
        made.heard = heard
        yield made


@pytest.fixture(scope="module")
def batch(scope):
    return scope.batch([RARE], steer=False)


def test_importing_the_package_loads_nothing_heavy():
    told = "import sys, lmmscope; print({'torch', 'pydantic', 'typer'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_batch_answers_with_its_findings(scope, batch):
    assert batch.status == "done"
    assert [one.feature for one in batch.findings] == [RARE]
    with scope.store() as store:
        assert store.findings(batch.run) == tuple(batch.findings)


def test_whoever_listens_is_told_every_step(scope, batch):
    with scope.store() as store:
        assert [one.name for one in scope.heard] == [one.name for one in store.events(batch.run)]


def test_what_was_found_is_known_to_the_feature_and_to_a_search(scope, batch):
    (found,) = batch.findings
    assert scope.feature(RARE).finding == found
    assert scope.feature(RARE + 1).finding is None
    assert scope.findings(status=found.status) == (found,)


def test_it_works_where_a_loop_runs_already_and_can_be_awaited(scope, batch):
    async def notebook():
        # As in a notebook's cell, where asyncio.run would fail.
        waited = scope.ask(f"explain the finding of feature {RARE}")
        return waited, await scope.aask("how do things stand?")

    explained, status = asyncio.run(notebook())
    assert explained.findings == batch.findings
    assert "runs" in status.text


def test_a_budget_that_ends_pauses_the_run_which_its_own_scope_goes_on_with(scope):
    paused = scope.batch([RARE + 1], calls=0, steer=False)
    assert (paused.status, bool(paused.why)) == ("paused", True)
    assert paused.run in paused._repr_html_()
    with (
        Scope(runs=scope.settings.runs, planted_seed=1) as other,
        pytest.raises(UserError, match=r"planted_seed 0. Try Scope\(planted_seed=0\)"),
    ):
        other.resume(paused.run)
    assert scope.resume(paused.run).status == "paused"
    ended = scope.resume(paused.run, calls=1000)
    assert (ended.run, ended.status) == (paused.run, "done")
    assert [one.feature for one in ended.findings] == [RARE + 1]


def test_a_feature_shows_its_pictures(scope):
    feature = scope.feature(RARE)
    assert feature.statistics.fires_on == feature.evidence.fires_on > 0
    shown = feature.pictures(limit=2)
    assert 0 < len(shown) <= 2
    assert feature.sheet("heat").tobytes() != feature.sheet("outline").tobytes()
    assert '<img alt="" src="data:image/png;base64,' in feature._repr_html_()


def test_what_a_tool_cannot_do_is_one_line(scope):
    with pytest.raises(UserError, match="Did you mean top_images"):
        scope.tool("top_image")
    with pytest.raises(UserError, match="sealed"):
        scope.tool("top_images", feature=RARE, split="test")
    with pytest.raises(UserError, match=r"features\.0: "):
        scope.batch([-1])


def test_what_a_model_says_is_never_html():
    said = "<script>alert(1)</script> [here](http://example.org) ![](http://example.org/a.png)"
    shown = Answer("1", "done", said, Findings())._repr_html_() + markdown(said)
    assert "<script" not in shown
    assert "<a" not in shown
    assert "<img" not in shown


def test_steering_tells_the_reply_beside_the_unsteered_one_and_its_controls(tmp_path):
    with Scope(runs=tmp_path) as scope:
        told = scope.steer(
            "is this a beach?",
            features=118,
            strength=400,
            picture=3,
            controls=["wrong_sign"],
            tokens=4,
        )
        assert told.unsteered in ("yes", "no")
        assert told.texts[0] != told.unsteered
        assert [one.control for one in told.result.controls] == ["wrong_sign"]
        assert "wrong sign" in told._repr_html_()
        kept = told.result.steered[0].recipe
        again = scope.asteer(
            "is this a beach?", recipe=kept, picture=told.picture, controls=[], tokens=4
        )
        assert asyncio.run(again).texts == told.texts
    scope.close()  # what is closed already stays closed


def test_the_model_is_loaded_once_for_all_that_a_scope_does(scope):
    observer = scope.lab.observer
    scope.ask("compare features 0 and 1")
    assert scope.lab.observer is observer
    assert scope._session._shelf.once("observer", lambda: None) is observer
