"""Two processes hold half of the features each: what they learn is what one process learns."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sae_core.coders.coder import CoderConfig
from sae_core.coders.shard import Shard
from sae_core.errors import UserError
from sae_core.training import checkpoint
from sae_core.training.checkpoint import coder_in, state_in
from tests.sae_core.training.sharded import HALF, KINDS, READ, STEPS, Training

ROOT = Path(__file__).parents[3]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_two(folder):
    """Two processes that work together as torchrun would start them, without its own start-up."""
    shared = os.environ | {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1",
        "WORLD_SIZE": "2",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.sae_core.training.sharded", str(folder)]
    pair = [
        subprocess.Popen(
            command, cwd=ROOT, env=shared | {"RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=250)[1] for process in pair]
    assert [process.returncode for process in pair] == [0, 0], "\n".join(errors)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two processes leave behind."""
    folder = tmp_path_factory.mktemp("two")
    Training("topk", "data").until(HALF).save(folder / "one.pt")
    run_two(folder)
    return folder


def assert_same_state(ours, theirs):
    for name, tensor in theirs["coder"].items():
        torch.testing.assert_close(ours["coder"][name], tensor, msg=lambda m, n=name: f"{n}: {m}")
    for number, moments in theirs["optimiser"]["state"].items():
        for key, tensor in moments.items():
            torch.testing.assert_close(ours["optimiser"]["state"][number][key], tensor)
    assert torch.equal(ours["silent"], theirs["silent"])
    assert (ours["step"], ours["batches"]) == (theirs["step"], theirs["batches"])


@pytest.mark.parametrize("kind", KINDS)
def test_halves_learn_what_the_whole_learns(kind, two, tmp_path):
    alone = Training(kind, "data").until(STEPS)
    alone.save(tmp_path / "alone.pt")
    seen = torch.tensor(torch.load(two / f"{kind}-losses.pt"))
    expected = torch.tensor(alone.seen)
    assert (expected[:, 2] > 0).any(), "no step taught the residual"
    torch.testing.assert_close(seen, expected, rtol=1e-4, atol=1e-5)
    assert_same_state(state_in(two / f"{kind}-{STEPS}.pt"), state_in(tmp_path / "alone.pt"))


def test_one_process_goes_on_where_two_halves_stopped(two, tmp_path):
    for shard in ("data", "features"):
        Training("topk", shard).read(two / f"topk-{HALF}.pt").until(STEPS).save(tmp_path / "end.pt")
        assert_same_state(state_in(tmp_path / "end.pt"), state_in(two / f"topk-{STEPS}.pt"))


@pytest.mark.parametrize(("name", "shard"), READ)
def test_two_processes_go_on_from_what_was_shared_otherwise(name, shard, two):
    there, here = state_in(two / f"{name}.pt"), state_in(two / f"{name}-{shard}.pt")
    assert_same_state(here, there)
    end = coder_in(two / f"{name}-{shard}-end.pt")
    assert end.features == 64
    assert not torch.equal(end.W_enc, there["coder"]["W_enc"])


@pytest.mark.parametrize("name", [name for name, shard in READ if shard == "data"])
def test_processes_with_rows_of_their_own_agree_on_what_is_dead(name, two):
    """Else one would teach a feature the residual that fires in the other's rows."""
    left, right = (torch.load(two / f"{name}-data-held-{rank}.pt") for rank in range(2))
    assert left["silent"].max() >= 128, "nothing counts as dead"
    for key, tensor in left.items():
        assert torch.equal(tensor, right[key]), key


def test_halves_go_on_from_one_process_to_where_that_would_come(two, tmp_path):
    Training("topk", "data").until(STEPS).save(tmp_path / "alone.pt")
    assert_same_state(state_in(two / "one-features-end.pt"), state_in(tmp_path / "alone.pt"))


@pytest.mark.parametrize("wrote", [1, 2, 4])
@pytest.mark.parametrize("reads", [1, 2, 4])
def test_any_number_of_processes_reads_what_any_number_wrote(wrote, reads, tmp_path, monkeypatch):
    """Weights, Adam's moments and for how long each feature has been silent, by feature."""
    whole, cut = tmp_path / "whole.pt", tmp_path / "cut.pt"
    Training("topk", "data").until(HALF).save(whole)
    monkeypatch.setattr(checkpoint, "processes", lambda: wrote)
    for rank in reversed(range(wrote)):  # the first one, who names all parts, last
        monkeypatch.setattr(checkpoint, "rank", lambda rank=rank: rank)
        checkpoint.write_parts(cut, state_in(whole, rank * 64 // wrote, 64 // wrote))
    assert len(list(tmp_path.glob("cut-*"))) == wrote
    for rank in range(reads):
        mine = rank * 64 // reads, 64 // reads
        there, here = state_in(whole, *mine), state_in(cut, *mine)
        assert_same_state(here, there)
        assert len(here["silent"]) == len(here["coder"]["W_dec"]) == 64 // reads
    assert int(state_in(cut)["silent"].max()) > 0


def test_a_checkpoint_leaves_no_parts_of_earlier_steps(tmp_path):
    training = Training("topk", "features").until(1)
    training.save(tmp_path / "c.pt")
    training.until(2).save(tmp_path / "c.pt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c-2-0-of-1.pt", "c.pt"]
    Training("topk", "data").read(tmp_path / "c.pt").save(tmp_path / "c.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["c.pt"]


def test_a_missing_part_is_named(tmp_path):
    Training("topk", "features").until(1).save(tmp_path / "c.pt")
    (tmp_path / "c-1-0-of-1.pt").unlink()
    with pytest.raises(UserError, match=r"c-1-0-of-1\.pt can't be read"):
        Training("topk", "data").read(tmp_path / "c.pt")


def test_features_that_can_not_be_shared_alike_are_refused(monkeypatch):
    monkeypatch.setattr("sae_core.coders.shard.processes", lambda: 3)
    with pytest.raises(UserError, match=r"64 features .* 3 processes\. Try --features 63"):
        Shard(CoderConfig(width=8, features=64, k=3))


def test_a_process_holds_its_share_of_the_bytes(monkeypatch):
    whole = Training("topk", "features").trainer.bytes_held()
    assert whole == 4 * 4 * (2 * 64 * 8 + 64 + 8)  # float32: weight, gradient, two moments
    monkeypatch.setattr("sae_core.coders.shard.processes", lambda: 4)
    assert Training("topk", "features").trainer.bytes_held() == whole / 4 + 4 * 4 * 8 * 3 / 4
