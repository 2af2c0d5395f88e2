"""Tables on real profiles, as they are shipped, on a stand-in of everything that they name."""

import json
import sys

import huggingface_hub.constants
import pytest

from benchmarks.paper import table1, table4
from benchmarks.paper.commanding import Command, run
from tests.lmmscope import stand_in
from tests.sae_core import small_models


def test_table_1_of_the_papers_profile(paper, monkeypatch, capsys):
    words = ["table1", "--profile", "llava-next-8b", "--features", "2", "--json"]
    monkeypatch.setattr(sys, "argv", words)
    run(Command("table1", table1.__doc__, table1.FEATURES, table1.WHICH), table1.report)
    report = json.loads(capsys.readouterr().out)
    assert report["command"] == (
        "python -m benchmarks.paper.table1 --features 2 --profile llava-next-8b"
    )
    iou, clip = ({row["name"]: row["cells"] for row in t["rows"]} for t in report["tables"])
    # The stand-in's explainer calls everything a red car, and red cars an object.
    for table in (iou, clip):
        assert table["object"]["n, paper mode"] == table["total"]["n, paper mode"] == 2
        assert table["total"]["the paper"] is not None
        assert table["total"]["random"]["n"] in (10, 30)
    assert "drawn by chance from" in " ".join(report["notes"])
    assert (paper / "runs" / "paper" / "table1.png").exists()


def test_a_target_without_places_in_the_picture_has_no_iou(paper, monkeypatch, capsys):
    stand_in.write_others(paper / "hub")
    folder = paper / "runs" / "saes" / "instructblip-7b"
    folder.mkdir(parents=True)
    stand_in.write_coder(folder, small_models.instructblip(depth=32))
    words = ["table4", "--profile", "instructblip-7b", "--features", "1", "--json"]
    monkeypatch.setattr(sys, "argv", words)
    run(Command("table4", table4.__doc__, table4.FEATURES, table4.WHICH), table4.report)
    report = json.loads(capsys.readouterr().out)
    iou, clip = ({row["name"]: row["cells"] for row in t["rows"]} for t in report["tables"])
    assert set(clip) == {"InstructBLIP-7B", "Qwen2.5-VL"}
    assert iou["InstructBLIP-7B"]["n, paper mode"] == 0
    assert clip["InstructBLIP-7B"]["n, paper mode"] == 1
    assert clip["InstructBLIP-7B"]["the paper"]["value"] == 28.01


def test_a_profile_that_is_not_here_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(sys, "argv", ["table1", "--profile", "llava-next-8b"])
    with pytest.raises(SystemExit) as ended:
        run(Command("table1", table1.__doc__, table1.FEATURES, table1.WHICH), table1.report)
    assert "lmms-lab/sae-sample-cache-dataset" in str(ended.value)
    assert "\n" not in str(ended.value)
