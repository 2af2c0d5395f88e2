"""The training loop: an interrupted run ends where an undisturbed one does."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from toybox.training import Plan, fit


def _batch(step: int) -> Tensor:
    return torch.randn(8, 4, generator=torch.Generator().manual_seed(step))


def _train(folder: Path, plan: Plan, stop_at: int | None = None) -> dict[str, Tensor]:
    torch.manual_seed(0)
    model = nn.Linear(4, 1)

    def batch(step: int) -> Tensor:
        if step == stop_at:
            raise KeyboardInterrupt
        return _batch(step)

    try:
        fit(model, plan, batch, lambda x: {"square": model(x).square().mean()}, folder, every=0)
    except KeyboardInterrupt:
        assert stop_at is not None
    return model.state_dict()


def test_a_run_that_was_interrupted_and_resumed_ends_like_an_undisturbed_one(tmp_path):
    plan = Plan("line", steps=20, lr=1e-2, warmup=5)
    whole = _train(tmp_path / "whole", plan)
    _train(tmp_path / "broken", plan, stop_at=11)
    resumed = _train(tmp_path / "broken", plan)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_finished_run_is_not_trained_again(tmp_path):
    plan = Plan("line", steps=3, lr=1e-2, warmup=1)
    first = _train(tmp_path, plan)
    again = _train(tmp_path, plan, stop_at=0)
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_learning_rate_rises_then_falls_to_its_floor():
    plan = Plan("line", steps=100, lr=1.0, warmup=10, floor=0.1)
    rates = [plan.rate(step) for step in range(101)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.1)
