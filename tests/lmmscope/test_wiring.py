"""What a name in a profile stands for: a path, something of the toybox's, something of a hub's."""

import huggingface_hub.constants
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lmmscope import wiring
from lmmscope.settings import load_settings
from sae_core.errors import UserError
from sae_core.training.chat_rows import ChatRows
from sae_core.training.conversations import ChatFile, Shown
from tests.lmmscope import stand_in
from tests.lmmscope.stand_in_targets import llava_next, write_llava_next


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("LMMSCOPE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("LMMSCOPE_DATA__SIDE", "16")
    return load_settings("llava-next-8b")


def test_a_hub_name_stands_for_its_folder_in_the_cache_once_it_is_there(settings, tmp_path):
    name = "openai/clip-vit-base-patch32"
    assert str(wiring.model_folder(name)) == name
    there = stand_in.snapshot(tmp_path / "hub", name)
    assert wiring.model_folder(name) == there
    assert settings.models.clip == name


def test_a_folder_of_the_same_name_comes_before_the_hub(settings, tmp_path, monkeypatch):
    del settings
    stand_in.snapshot(tmp_path / "hub", "some/model")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some" / "model").mkdir(parents=True)
    assert not wiring.model_folder("some/model").is_absolute()


def test_pictures_of_a_hub_are_numbered_under_runs_and_drawn_to_the_profiles_side(
    settings, tmp_path
):
    folder = stand_in.snapshot(tmp_path / "hub", "some/pictures", "datasets")
    rows = [stand_in.png(stand_in.drawn(seed)) for seed in range(9)]
    stand_in.write_table(folder / "data" / "train-00000-of-00001.parquet", rows)
    found = wiring.pictures(settings, "hub:some/pictures", 5)
    assert len(found) == 5
    assert found.picture(0).size == (16, 16)
    assert len(list((tmp_path / "runs" / "pictures").iterdir())) == 1
    shown = wiring.conversations(settings, "hub:some/pictures/data/*.parquet#0-100")
    assert isinstance(shown, Shown)
    assert len(shown) == 9


def test_what_conversations_are_read_from_shows_in_the_files(settings, tmp_path):
    turns = [[{"from": "human", "value": "<image>\nwhat?"}, {"from": "gpt", "value": "a cat."}]]
    cell = {"bytes": stand_in.png(stand_in.drawn(0)), "path": "a.png"}
    table = pa.table({"conversations": turns, "image": [cell]})
    pq.write_table(table, tmp_path / "talks.parquet")
    (tmp_path / "talks.jsonl").write_text("")
    found = wiring.conversations(settings, str(tmp_path / "talks.parquet"))
    assert isinstance(found, ChatRows)
    assert found[0].reply == "a cat."
    assert isinstance(wiring.conversations(settings, str(tmp_path / "talks.jsonl")), ChatFile)


def test_what_is_not_downloaded_is_named_with_the_command_that_downloads_it(settings):
    with pytest.raises(UserError, match="hf download lmms-lab/sae-sample-cache-dataset"):
        wiring.pictures(settings, settings.data.explore)
    with pytest.raises(UserError, match="hf download lmms-lab/llama3-llava-next-8b-hf-sae-131k"):
        wiring.coder(settings)


def test_a_data_set_name_that_is_none_is_refused(settings):
    with pytest.raises(UserError, match="hub:ORGANISATION/NAME"):
        wiring.pictures(settings, "hub:nothing")


def test_packed_weights_without_the_packages_name_the_extra(settings, tmp_path, monkeypatch):
    write_llava_next(stand_in.snapshot(tmp_path / "hub", settings.models.target), llava_next())
    monkeypatch.setattr(wiring, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"bits = 4 needs .*lmmscope\[quantised\]"):
        wiring.target(settings.model_copy(update={"bits": 4}))


def test_what_is_left_out_of_a_users_pictures_is_said_by_name(tmp_path, capsys):
    (tmp_path / "set").mkdir()
    stand_in.drawn(1).save(tmp_path / "set" / "a.png")
    (tmp_path / "set" / "b.png").write_bytes((tmp_path / "set" / "a.png").read_bytes())
    (tmp_path / "set" / "text.jpg").write_text("hello")
    settings = load_settings("toybox").model_copy(update={"runs": tmp_path / "runs"})
    assert len(wiring.pictures(settings, str(tmp_path / "set"))) == 1
    said = capsys.readouterr().err
    assert "1 repeated, counted once" in said
    assert "1 left out, as they can't be opened (text.jpg: cannot identify image file)" in said


def test_a_target_in_fewer_bits_has_another_name(settings):
    """Else an index of the one would be taken for an index of the other."""
    name = settings.models.target
    assert wiring.target_name(settings) == f"{name} in bfloat16"
    assert wiring.target_name(settings.model_copy(update={"bits": 4})) == f"{name} in 4 bits"
    assert wiring.target_name(settings.model_copy(update={"precision": "float32"})) == name


def test_a_target_that_was_trained_on_in_its_folder_has_another_name(settings, tmp_path):
    """Else its index would go on telling of what it was before."""
    there = stand_in.snapshot(tmp_path / "hub", settings.models.target)
    names = [wiring.target_name(settings)]
    (there / "config.json").write_text("{}")
    names.append(wiring.target_name(settings))
    assert len(set(names)) == 2
    here = settings.models.model_copy(update={"target": str(there)})
    elsewhere = wiring.target_name(settings.model_copy(update={"models": here}))
    assert str(tmp_path) not in elsewhere
    assert names[1].split()[1:] == elsewhere.split()[1:]
