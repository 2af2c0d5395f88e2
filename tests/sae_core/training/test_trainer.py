import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch

from sae_core.coders.coder import CoderConfig
from sae_core.errors import UserError
from sae_core.training.activations import TensorStream
from sae_core.training.trainer import TrainConfig, Trainer

SCRIPT = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    import torch
    from sae_core.training.activations import TensorStream
    from sae_core.coders.coder import CoderConfig
    from sae_core.training.trainer import TrainConfig, Trainer

    torch.set_num_threads(1)
    x = torch.randn(2000, 8, generator=torch.Generator().manual_seed(0))
    config = CoderConfig(width=8, features=64, k=4, rule=sys.argv[2])
    trainer = Trainer(config, TrainConfig(steps=40, batch=64, dead_after=500, warmup=5))
    losses = Path(sys.argv[1]).with_suffix(".losses")

    def report(now):
        with losses.open("a") as file:
            print(now.step, repr(now.fvu), file=file)
        time.sleep(float(sys.argv[3]))

    trainer.run(TensorStream(x, 64), Path(sys.argv[1]), report=report, every=0.0)
    """
)


def mixture(rows=4000, width=12, atoms=40, seed=0):
    """Rows made of three of many directions: what a coder should find."""
    generator = torch.Generator().manual_seed(seed)
    table = torch.nn.functional.normalize(torch.randn(atoms, width, generator=generator), dim=1)
    which = torch.stack([torch.randperm(atoms, generator=generator)[:3] for _ in range(rows)])
    strength = torch.rand(rows, 3, generator=generator) + 0.5
    return (table[which] * strength[..., None]).sum(1) + 2.0


def trained(rule="topk", steps=300, **more):
    config = CoderConfig(width=12, features=64, k=3, rule=rule, **more)
    trainer = Trainer(config, TrainConfig(steps=steps, batch=256, rate=5e-3, dead_after=5000))
    trainer.run(TensorStream(mixture(), 256))
    return trainer


@pytest.mark.parametrize("rule", ["topk", "batchtopk", "jumprelu"])
def test_every_rule_learns_to_explain_a_mixture(rule):
    trainer = trained(rule)
    assert trainer.fvu < 0.35
    assert 1.5 < trainer.l0 < 4.5


def test_matryoshka_learns_its_smallest_dictionary_too():
    trainer = trained("batchtopk", groups=(16, 64))
    coder, x = trainer.coder.eval(), mixture()
    code = coder.encode(x)
    small = coder.decode(code.only(code.indices_NK < 16))
    assert (x - small).square().sum() / (x - x.mean(0)).square().sum() < 0.8


def test_decoder_rows_keep_unit_norm_and_the_step_does_not_lengthen_them():
    trainer = trained(steps=20)
    torch.testing.assert_close(trainer.coder.W_dec.norm(dim=1), torch.ones(64))
    grad = trainer.coder.W_dec.grad
    assert (grad * trainer.coder.W_dec).sum(1).abs().max() < 0.05 * grad.norm(dim=1).max()


def test_a_batchtopk_coder_fires_as_often_outside_of_training():
    trainer = trained("batchtopk")
    code = trainer.coder.eval().encode(mixture())
    assert code.fired().sum(1).float().mean() == pytest.approx(3, abs=0.7)


def test_accumulated_parts_make_the_same_step():
    ends = []
    for parts in (1, 4):
        config = TrainConfig(steps=3, batch=64, accumulate=parts, warmup=0)
        trainer = Trainer(CoderConfig(width=12, features=64, k=3), config)
        x = mixture(64)
        x -= x.mean(0)
        trainer.begin(x)
        trainer.train_step(x)
        ends.append(trainer.coder.W_enc.grad.clone())
    # Each part has a variance of its own, so the loss is alike, not equal.
    cosine = torch.nn.functional.cosine_similarity(*(e.flatten() for e in ends), dim=0)
    assert cosine > 0.97


def revived(dead_after):
    config = TrainConfig(steps=250, batch=256, rate=5e-3, dead_after=dead_after)
    trainer = Trainer(CoderConfig(width=12, features=64, k=3), config)
    with torch.no_grad():
        trainer.coder.W_enc[:32] *= 0.05  # too weak to be among the k largest
    trainer.run(TensorStream(mixture(), 256))
    return int((trainer.silent_F[:32] < 2000).sum())


def test_the_residual_brings_dead_features_back():
    assert revived(dead_after=2000) > revived(dead_after=10**9) + 4


def run_script(path, rule, pause):
    command = [sys.executable, "-c", SCRIPT, str(path), rule, str(pause)]
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_a_killed_run_goes_on_with_the_same_loss_curve(tmp_path):
    rule = "batchtopk"  # it has most to restore: a measured threshold beside weights and moments
    whole = tmp_path / "whole.pt"
    assert run_script(whole, rule, 0).wait() == 0
    killed = tmp_path / "killed.pt"
    losses = killed.with_suffix(".losses")
    for lines in (7, 22):
        process = run_script(killed, rule, 0.02)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if losses.exists() and len(losses.read_text().splitlines()) >= lines:
                break
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert run_script(killed, rule, 0).wait() == 0
    curves = [
        dict(line.split() for line in path.with_suffix(".losses").read_text().splitlines())
        for path in (whole, killed)
    ]
    assert curves[0] == curves[1]
    first, second = (torch.load(path, weights_only=True)["coder"] for path in (whole, killed))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_checkpoint_of_another_training_is_refused_naming_the_difference(tmp_path):
    x = mixture(300)
    one = Trainer(CoderConfig(width=12, features=64, k=3), TrainConfig(steps=2, batch=64))
    one.run(TensorStream(x, 64), tmp_path / "c.pt")
    other = Trainer(CoderConfig(width=12, features=64, k=4), TrainConfig(steps=2, batch=64))
    with pytest.raises(UserError, match=r"k=3 there, 4 here"):
        other.run(TensorStream(x, 64), tmp_path / "c.pt")


def test_a_broken_checkpoint_is_named(tmp_path):
    (tmp_path / "c.pt").write_bytes(b"no checkpoint")
    trainer = Trainer(CoderConfig(width=12, features=64, k=3), TrainConfig(steps=2))
    with pytest.raises(UserError, match=r"c\.pt can't be read"):
        trainer.run(TensorStream(mixture(2000), 64), tmp_path / "c.pt")


def test_activations_that_are_not_finite_are_refused():
    x = mixture(300)
    x[:, 3] = torch.nan
    trainer = Trainer(CoderConfig(width=12, features=64, k=3), TrainConfig(steps=2))
    with pytest.raises(UserError, match="NaN or infinite"):
        trainer.run(TensorStream(x, 64))


WORKER = textwrap.dedent(
    """
    import sys
    import torch
    from torch import distributed as dist
    from sae_core.training.activations import TensorStream
    from sae_core.coders.coder import CoderConfig
    from sae_core.training.trainer import TrainConfig, Trainer

    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    x = torch.randn(2048, 8, generator=torch.Generator().manual_seed(0))
    config = TrainConfig(steps=40, batch=128, rate=5e-3, warmup=0)
    trainer = Trainer(CoderConfig(width=8, features=32, k=32), config)
    trainer.run(TensorStream(x, 128 // dist.get_world_size()))
    torch.save(trainer.coder.state_dict(), f"{sys.argv[1]}/{dist.get_rank()}.pt")
    dist.destroy_process_group()
    """
)


def torchrun(tmp_path, count):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    out = tmp_path / str(count)
    out.mkdir()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={count}", str(script), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [torch.load(out / f"{rank}.pt", weights_only=True) for rank in range(count)]


def test_two_processes_agree_and_learn_what_one_learns(tmp_path):
    one, (left, right) = torchrun(tmp_path, 1)[0], torchrun(tmp_path, 2)
    for name in left:
        assert torch.equal(left[name], right[name]), name
    # The halves have means and variances of their own: what is learned is alike, not equal.
    torch.manual_seed(0)
    before = Trainer(CoderConfig(width=8, features=32, k=32), TrainConfig(steps=1)).coder.W_enc
    moved = [(weights["W_enc"] - before.detach()).flatten() for weights in (one, left)]
    assert moved[0].norm() > 0.3 * before.norm()
    assert torch.nn.functional.cosine_similarity(*moved, dim=0) > 0.95
