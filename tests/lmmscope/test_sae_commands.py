"""`lmmscope sae` and `lmmscope index` as a user calls them."""

import json
import subprocess
import sys

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from lmmscope import wiring
from lmmscope.cli import app
from lmmscope.settings import load_settings
from sae_core.coders.coder import CoderConfig
from sae_core.index.levels import FILE, read_levels, write_levels
from sae_core.training.activations import TokenStream
from sae_core.training.losses import geometric_median
from sae_core.training.trainer import TrainConfig, Trainer

run = CliRunner().invoke


def _refused(result, *names):
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert all(name in lines[0] for name in names), lines[0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A coder of a few steps, and its index over a few pictures."""
    folder = tmp_path_factory.mktemp("sae")
    small = ["--steps", "3", "--features", "256", "--batch", "512", "--k", "8", "--block", "8"]
    result = run(app, ["sae", "train", "--out", str(folder), *small])
    assert result.exit_code == 0, result.output
    index = folder / "index"
    result = run(app, ["index", "build", "--out", str(index), "--sae", str(folder), "-n", "12"])
    assert result.exit_code == 0, result.output
    return folder


def test_a_finished_training_is_not_done_again(trained):
    small = ["--steps", "3", "--features", "256", "--batch", "512", "--k", "8", "--block", "8"]
    result = run(app, ["sae", "train", "--out", str(trained), *small])
    assert result.exit_code == 0
    assert "wrote" in result.stdout


def test_other_settings_beside_a_checkpoint_are_refused(trained):
    result = run(
        app,
        [
            "sae",
            "train",
            "--out",
            str(trained),
            "--steps",
            "3",
            "--features",
            "128",
            "--block",
            "8",
        ],
    )
    _refused(result, "256 there", "128 here")


def _first_gradients(shares):
    """Adam's first moments after a step on several processes' rows, each part a loss of its own."""
    settings = load_settings()
    adapter, found = wiring.target(settings), wiring.conversations(settings, settings.data.train)
    rows = []
    for rank in range(shares):
        stream = TokenStream(adapter, found, settings.data.hook, 256, block=16)
        stream.share, stream.rank = shares, rank
        rows.append(stream.take())
    config = CoderConfig(width=adapter.width(), features=64, k=8)
    plan = TrainConfig(steps=1, batch=256 * shares, accumulate=shares, warmup=0)
    trainer = Trainer(config, plan)
    with torch.no_grad():
        trainer.coder.b_dec.copy_(torch.stack([geometric_median(x) for x in rows]).mean(0))
    trainer.train_step(torch.cat(rows))
    return trainer.optimiser.state_dict()["state"]


def test_two_processes_take_the_step_that_all_their_rows_make(tmp_path):
    settings = ["--steps", "1", "--features", "64", "--k", "8", "--batch", "512", "--block", "16"]
    train = ["sae", "train", "--out", str(tmp_path), *settings, "--warmup", "0"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["-m", "lmmscope", *train]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote") == 1
    assert "each of 2 processes holds 64 of 64 features: 0.00026" in done.stderr
    there = torch.load(tmp_path / "training.pt", weights_only=True)["optimiser"]["state"]
    for number, state in _first_gradients(2).items():
        torch.testing.assert_close(there[number]["exp_avg"], state["exp_avg"], rtol=1e-3, atol=1e-6)
    # Whoever comes next may be alone, and may share the coder otherwise.
    alone = run(app, [*train, "--shard", "features"])
    assert alone.exit_code == 0, alone.output
    assert "wrote" in alone.stdout


def test_a_coder_is_measured(trained):
    result = run(app, ["sae", "eval", str(trained), "-n", "20", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert 0 < report["activations"]["fvu"] < 3
    assert report["activations"]["l0"] <= 8
    assert report["replies"]["tokens"] > 10


def test_a_coder_goes_to_another_format_and_back(trained, tmp_path):
    there, back = tmp_path / "sparsify", tmp_path / "ours"
    done = run(app, ["sae", "export", str(there), "--format", "sparsify", "--sae", str(trained)])
    assert done.exit_code == 0, done.output
    assert run(app, ["sae", "import", str(there), str(back)]).exit_code == 0
    for folder, name in ((there, "sparsify"), (back, "lmmscope")):
        facts = json.loads(run(app, ["sae", "info", str(folder), "--json"]).stdout)
        assert facts["format"] == name
        assert (facts["config"]["features"], facts["config"]["width"]) == (256, 128)


def test_a_feature_is_shown_and_drawn(trained, tmp_path):
    index, sheet = ["--index", str(trained / "index")], tmp_path / "sheet.png"
    records = [
        json.loads(run(app, ["index", "show", str(j), *index, "--json"]).stdout) for j in range(40)
    ]
    most = max(records, key=lambda record: record["fires_on"])
    assert most["fires_on"] > 0
    result = run(app, ["index", "show", str(most["feature"]), *index, "--png", str(sheet)])
    assert result.exit_code == 0, result.output
    with Image.open(sheet) as picture:
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 100


def test_parts_merge_into_what_one_build_gives(trained, tmp_path):
    parts = []
    for first, end in ((0, 5), (5, 12)):
        parts.append(str(tmp_path / f"{first}"))
        command = ["index", "build", "--out", parts[-1], "--sae", str(trained), "-n", "12"]
        assert run(app, [*command, "--part", f"{first}:{end}"]).exit_code == 0
    assert run(app, ["index", "merge", str(tmp_path / "all"), *parts]).exit_code == 0
    for j in range(0, 256, 16):
        both = [
            json.loads(run(app, ["index", "show", str(j), "--json", "--index", str(i)]).stdout)
            for i in (trained / "index", tmp_path / "all")
        ]
        assert both[0]["fires_on"] == both[1]["fires_on"]
        tops = [[shown["picture"] for shown in record["top_by_mean"]] for record in both]
        assert tops[0] == tops[1]


def test_a_build_that_was_given_up_leaves_no_levels_to_another_one(trained, tmp_path):
    """They may be another coder's: it was begun with a wrong --sae, and killed at once."""
    known = read_levels(trained / "index" / FILE)
    write_levels(known._replace(level_F=known.level_F + 1), tmp_path / FILE)
    command = ["index", "build", "--out", str(tmp_path), "--sae", str(trained), "-n", "12"]
    assert run(app, command).exit_code == 0
    assert read_levels(tmp_path / FILE).digest == known.digest


def test_planted_features_get_an_index(tmp_path):
    out = str(tmp_path / "planted")
    command = ["index", "build", "--out", out, "--planted-seed", "5", "-n", "30"]
    assert run(app, command).exit_code == 0
    fires = [
        json.loads(run(app, ["index", "show", str(j), "--json", "--index", out]).stdout)["fires_on"]
        for j in range(0, 100, 10)
    ]
    assert any(fires)


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (["sae", "train", "--out", "x", "--hook", "layers.77"], "layers.77"),
        (["sae", "train", "--out", "x", "--k", "900", "--features", "100"], "k=900"),
        (["sae", "train", "--out", "x", "--rule", "best"], "rule"),
        (["sae", "train", "--out", "x", "--positions", "some"], "some"),
        (["sae", "train", "--out", "x", "--groups", "a"], "'a'"),
        (["sae", "train", "--out", "x", "--data", "toybox:nothing"], "nothing"),
        (["sae", "info", "/nowhere"], "/nowhere"),
        (["sae", "export", "x", "--format", "best", "--sae", "/nowhere"], "/nowhere"),
        (["index", "show", "3", "--index", "/nowhere"], "/nowhere"),
        (["index", "build", "--out", "x", "--data", "/nowhere"], "/nowhere"),
        (["index", "build", "--part", "0:4"], "Try --out FOLDER"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(command, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _refused(run(app, command), named)


def test_a_feature_out_of_range_is_named(trained):
    _refused(run(app, ["index", "show", "256", "--index", str(trained / "index")]), "256", "255")


def test_a_part_outside_of_the_pictures_is_named(trained, tmp_path):
    command = ["index", "build", "--out", str(tmp_path), "--sae", str(trained), "-n", "12"]
    _refused(run(app, [*command, "--part", "5:13"]), "5:13")
