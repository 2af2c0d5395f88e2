"""Two trainings into one checkpoint: the second is refused and told who is there."""

import subprocess
import sys

import pytest
import torch

from sae_core.coders.coder import CoderConfig
from sae_core.errors import UserError
from sae_core.training.activations import TensorStream
from sae_core.training.lock import held
from sae_core.training.trainer import TrainConfig, Trainer

HOLD = """
import sys
from pathlib import Path
from sae_core.training.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def checkpoint(tmp_path):
    return tmp_path / "coder" / "training.pt"


@pytest.fixture
def holder(checkpoint):
    command = [sys.executable, "-c", HOLD, str(checkpoint)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_training_is_refused_and_told_which_process_holds_the_first(checkpoint, holder):
    trainer = Trainer(CoderConfig(width=4, features=8, k=2), TrainConfig(steps=1))
    with pytest.raises(UserError, match=rf"training\.pt is being trained by process {holder.pid} "):
        trainer.run(TensorStream(torch.ones(8, 4), 4), checkpoint)
    assert not checkpoint.exists()


def test_what_a_killed_training_held_is_free_again(checkpoint, holder):
    holder.kill()
    holder.wait()
    with held(checkpoint):
        pass


def test_a_finished_training_lets_go_even_where_it_failed(checkpoint):
    with pytest.raises(ZeroDivisionError), held(checkpoint):
        raise ZeroDivisionError
    with held(checkpoint), pytest.raises(UserError, match="process"), held(checkpoint):
        raise AssertionError("held twice")


def test_other_checkpoints_are_not_held(checkpoint):
    with held(checkpoint), held(checkpoint.with_name("other.pt")):
        pass
