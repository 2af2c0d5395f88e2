"""The paper's profile, as it is shipped, from end to end on a stand-in of everything it names."""

import json
import re

import huggingface_hub.constants
import pytest
from typer.testing import CliRunner

from agent.store import Reader
from lmmscope.cli import app
from tests.lmmscope import stand_in

SECTIONS = ("models", "data", "servers", "plan")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    stand_in.write_all(folder)
    return folder


@pytest.fixture
def paper(cache, tmp_path, monkeypatch):
    """The profile's surroundings: a filled cache, and a server."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    with stand_in.explainer() as url:
        for role in ("EXPLAINER", "JUDGE"):
            monkeypatch.setenv(f"LMMSCOPE_SERVERS__{role}__BASE_URL", url)
        yield tmp_path


def test_a_label_is_scored_as_the_paper_does(paper):
    call = {
        "feature": stand_in.BRIGHT, "label": "red car", "split": "explore", "count": 5,
        "groups": ["top_by_mean"], "which": ["iou", "clip"],
    }  # fmt: skip
    given = ["tool", "score", "--profile", "llava-next-8b", "--json", json.dumps(call)]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, result.stderr
    scored = json.loads(result.stdout)
    assert set(scored["scores"]) == {"iou_paper", "iou_strict", "clip_paper", "clip_strict"}
    assert scored["scores"]["iou_paper"]["n"] == 5
    assert scored["unmeasured"] == {}
    assert len(list((paper / "runs" / "pictures").iterdir())) == 1


def test_a_question_about_a_feature_has_an_answer_from_the_papers_models(paper):
    question = f"what does feature {stand_in.BRIGHT} respond to?"
    result = CliRunner().invoke(app, ["ask", "--profile", "llava-next-8b", question])
    assert result.exit_code == 0, result.stderr
    with Reader(paper / "runs") as store:
        finding, (run,) = store.newest(), store.runs_begun()
        events, calls = store.events(run.id), store.calls(run.id)
    known = finding.provenance
    assert finding.id in result.stdout
    assert "a red car" in {one.claim for one in finding.hypotheses}
    assert finding.steering is not None
    assert {call.role for call in calls} >= {"explainer"}
    assert re.fullmatch(r"llava-hf/llama3-llava-next-8b-hf [0-9a-f]{16} in bfloat16", known.model)
    assert (known.hook, known.levels) == ("layers.24", "")
    assert set(known.pictures) == {"explore", "validate", "test"}
    assert [e.text for e in events if e.kind == "failure"] == []


def test_a_batch_in_paper_mode_ends_with_a_finding_for_each_feature(paper):
    words = ["batch", "--profile", "llava-next-8b", "--features", "3-5", "--no-steer"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    with Reader(paper / "runs") as store:
        (run,) = store.runs_begun()
        assert {one.feature for one in store.findings(run.id)} == {3, 4, 5}
        assert store.run(run.id).status == "done"


def test_strict_mode_explains_on_one_part_of_a_data_set_and_tests_on_another(paper):
    words = ["batch", "--profile", "llava-next-8b-strict", "--features", "3", "--no-steer"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    with Reader(paper / "runs") as store:
        (finding,) = store.findings(store.runs_begun()[0].id)
    assert finding.provenance.levels
    assert len(set(finding.provenance.pictures.values())) == 3


def test_a_feature_is_written_as_the_paper_does_and_again_by_its_recipe(paper):
    stand_in.drawn(7).save(paper / "photo.png")
    asked = ["steer", "--profile", "llava-next-8b", "what is this", "--picture", "photo.png"]
    few = ["--tokens", "3", "--json"]
    by_hand = ["--feature", str(stand_in.BRIGHT), "--strength", "50", "--mode", "paper"]
    told = CliRunner().invoke(app, [*asked, *by_hand, *few])
    assert told.exit_code == 0, told.stderr
    first = json.loads(told.stdout)
    recipe = first["steered"][0]["recipe"]
    again = CliRunner().invoke(app, [*asked, "--recipe", recipe, *few])
    assert again.exit_code == 0, again.stderr
    second = json.loads(again.stdout)
    assert (first["mode"], second["mode"]) == ("paper", "paper")
    assert first["steered"][0]["text"] == second["steered"][0]["text"]
    assert first["steered"][0]["kl"] == second["steered"][0]["kl"] > 0


@pytest.mark.usefixtures("paper")
def test_an_answer_is_traced_to_features_of_the_picture_and_of_the_text():
    question = "why does it say 'cat' and not 'red' to \"what is this\" in picture 2?"
    result = CliRunner().invoke(app, ["ask", "--profile", "llava-next-8b", question])
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stdout.split())
    assert "the logit of 'cat' less that of 'red' is" in said
    assert "by the picture" in said
    assert "by the text" in said
    assert "checked by switching the strongest features off" in said


@pytest.mark.usefixtures("paper")
def test_the_doctor_finds_everything_and_plans_with_what_it_reads():
    result = CliRunner().invoke(app, ["doctor", "--profile", "llava-next-8b", "--json"])
    checks = json.loads(result.stdout)["checks"]
    faults = [c for c in checks if c["state"] == "missing" and c["section"] in SECTIONS]
    assert faults == []
    told = {(c["section"], c["name"]): c["found"] for c in checks}
    assert "sparsify topk, 64 features of width 16" in told["models", "sae"]
    assert "2 files" in told["data", "explore"]
    assert "published" not in told["plan", "GPU memory"]
    assert "at most" in told["plan", "disk"]
    assert told["plan", "download"] == "nothing"
