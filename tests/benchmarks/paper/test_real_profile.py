"""Tables on real profiles, as they are shipped, on a stand-in of everything that they name."""

import json

import huggingface_hub.constants
import pytest

from benchmarks.paper import table1, table2, table3, table4
from lmmscope import wiring
from tests.lmmscope import stand_in_server
from tests.sae_core import small_models

LLAVA = "llava-next-8b"


def rows_of(report):
    """Each table's cells by the names of its rows."""
    return ({row["name"]: row["cells"] for row in one["rows"]} for one in report["tables"])


def test_table_1_of_the_papers_profile(paper, types):
    report = types(table1.main, "--profile", LLAVA, "--features", "2")
    assert report["command"] == (
        "python -m benchmarks.paper.table1 --features 2 --profile llava-next-8b"
    )
    iou, clip = rows_of(report)
    # The stand-in's explainer calls everything a red car, and red cars an object.
    for table in (iou, clip):
        assert table["object"]["n, paper mode"] == table["total"]["n, paper mode"] == 2
        assert table["total"]["the paper"] is not None
        assert table["total"]["random"]["n"] in (10, 30)
    assert "drawn by chance from" in " ".join(report["notes"])
    assert (paper / "runs" / "paper" / "table1.png").exists()


@pytest.mark.usefixtures("paper")
def test_table_1_of_the_strict_profile_is_of_its_own_part_of_the_pictures(types):
    report = types(table1.main, "--profile", f"{LLAVA}-strict", "--features", "1")
    iou, _ = rows_of(report)
    assert iou["total"]["n, paper mode"] == 1
    assert "of 19 explore pictures" in " ".join(report["notes"])


@pytest.mark.usefixtures("paper")
def test_the_small_profile_says_in_one_line_what_its_four_bits_need(refuses, monkeypatch):
    monkeypatch.setattr(wiring, "find_spec", lambda _: None)
    assert refuses(table1.main, "--profile", f"{LLAVA}-small") == (
        "bits = 4 needs bitsandbytes and accelerate. Try pip install 'lmmscope[quantised]'"
    )


@pytest.mark.usefixtures("paper")
def test_table_2_of_the_papers_profile(types, monkeypatch):
    """The stand-in's judge agrees with red cars alone."""
    other, names = stand_in_server._reply, iter(["a red car", "a tree"] * 50)

    def reply(content):
        text = json.dumps(content)
        if "[EXPLANATION]:" in text:
            return f"[EXPLANATION]: {next(names)}"
        if "1 for yes or 0 for no" in text:
            return str(int("red car" in text))
        return "[ANSWER] tree" if "[ANSWER]" in text and "a tree" in text else other(content)

    monkeypatch.setattr(stand_in_server, "_reply", reply)
    (share,) = rows_of(types(table2.main, "--profile", LLAVA, "--features", "2"))
    total = share["total"]
    assert (total["n, paper mode"], total["paper mode"]["value"]) == (2, 0.5)
    assert total["other labels, paper mode"]["value"] == 0.5
    assert total["the paper's judge"]["value"] == 0.89
    assert total["people"] == table2.NOBODY


@pytest.mark.usefixtures("paper")
def test_table_3_is_of_the_three_layers_that_have_profiles(types, coder_for):
    for layer in (8, 25, 32):
        coder_for(f"{LLAVA}-layer-{layer}")
    report = types(table3.main, "--profile", LLAVA, "--features", "1")
    for table in rows_of(report):
        assert list(table) == ["layer 8 of 32", "layer 25 of 32", "layer 32 of 32"]
        assert [cells["n, paper mode"] for cells in table.values()] == [1, 1, 1]
    values = [cells["paper mode"]["value"] for cells in next(rows_of(report)).values()]
    assert len(set(values)) == 3


@pytest.mark.usefixtures("paper")
def test_a_layer_without_a_coder_is_told_before_the_others_are_measured(refuses, coder_for):
    coder_for(f"{LLAVA}-layer-8")
    coder_for(f"{LLAVA}-layer-25")
    told = refuses(table3.main, "--profile", LLAVA)
    name, folder = f"{LLAVA}-layer-32", f"runs/saes/{LLAVA}-layer-32"
    assert told.startswith(f"Profile '{name}' lacks its coder: {folder} is not here. Try ")
    assert f"sae train --profile {name} --out {folder} " in told


@pytest.mark.usefixtures("paper")
def test_no_small_coders_are_trained_on_a_real_target_unasked(refuses):
    told = refuses(table3.main, "--profile", f"{LLAVA}-strict", "--sae", "25=somewhere")
    assert "has no coder for layer 8 nor 32 of 32, as deep as the paper's" in told
    assert "--sae LAYER=FOLDER" in told


@pytest.mark.usefixtures("paper")
def test_a_target_without_places_in_the_picture_has_no_iou(types, coder_for):
    coder_for("instructblip-7b", small_models.instructblip(depth=32))
    report = types(table4.main, "--profile", "instructblip-7b", "--features", "1")
    iou, clip = rows_of(report)
    assert set(clip) == {"InstructBLIP-7B", "Qwen2.5-VL"}
    assert iou["InstructBLIP-7B"]["n, paper mode"] == 0
    assert clip["InstructBLIP-7B"]["n, paper mode"] == 1
    assert clip["InstructBLIP-7B"]["the paper"]["value"] == 28.01


@pytest.mark.usefixtures("paper")
def test_table_4_of_a_target_whose_grid_follows_the_picture(types, coder_for, monkeypatch):
    monkeypatch.setenv("LMMSCOPE_DATA__SIDE", "56")
    coder_for("qwen2.5-vl-7b", small_models.qwen(depth=28))
    report = types(table4.main, "--profile", "qwen2.5-vl-7b", "--features", "1")
    for table in rows_of(report):
        assert set(table) == {"InstructBLIP-7B", "Qwen2.5-VL"}
        assert table["Qwen2.5-VL"]["n, paper mode"] == 1
        assert table["Qwen2.5-VL"]["the paper"] is not None
    assert "The paper has no" not in " ".join(report["notes"])


@pytest.mark.usefixtures("paper")
def test_a_coder_that_is_to_be_trained_is_told_with_the_command(refuses):
    told = refuses(table4.main, "--profile", "qwen2.5-vl-7b")
    name, folder = "qwen2.5-vl-7b", "runs/saes/qwen2.5-vl-7b"
    assert told.startswith(f"Profile '{name}' lacks its coder: {folder} is not here. Try ")
    assert f"sae train --profile {name} --out {folder} " in told


def test_a_profile_that_is_not_here_is_told_in_one_line(tmp_path, monkeypatch, refuses):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    told = refuses(table1.main, "--profile", LLAVA)
    assert told.endswith("Try hf download lmms-lab/llama3-llava-next-8b-hf-sae-131k")


def test_no_features_are_too_few(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["table1", "--features", "0"])
    with pytest.raises(SystemExit):
        table1.main()
    assert "argument --features: '0' is no number from 1 on" in capsys.readouterr().err
