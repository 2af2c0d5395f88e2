"""Training through the tool: its budget, its approval, and going on where it was stopped."""

from functools import partialmethod

import pytest

from sae_core.training.trainer import Trainer
from tests.tools.small_lab import HOOK, Noise, small_lab
from tools import training_cost
from tools.coder_folders import trained_folder
from tools.failures import NeedsApproval, WontWork
from tools.lab import Lab, Makers
from tools.load_sae import load_sae
from tools.train_sae import CHECKPOINT, train_sae

pytestmark = pytest.mark.anyio

QUICK = {
    "name": "ours", "hook": HOOK, "steps": 6, "features": 40, "k": 4, "batch": 16, "block": 6,
}  # fmt: skip


@pytest.fixture
def lab(tmp_path):
    return small_lab(tmp_path)


async def trained(lab, **more):
    given = {name: value for name, value in (QUICK | more).items() if value is not None}
    return await train_sae.call(lab, train_sae.parse(given))


async def test_a_trained_coder_is_found_by_its_name(lab):
    done = await trained(lab)
    found = await load_sae.call(lab, load_sae.parse({"source": done.source}))
    assert (found.digest, found.fits) == (done.digest, True)
    assert (found.config.features, found.config.k, found.config.hook) == (40, 4, HOOK)


async def test_each_step_is_reported(lab):
    heard = []
    lab.report = heard.append
    done = await trained(lab)
    assert [(one.step, one.steps) for one in heard] == [(step, 6) for step in range(1, 7)]
    assert heard[-1].fvu == done.fvu


async def test_a_budget_in_tokens_is_spent_whole(lab):
    assert (await trained(lab, steps=None, tokens=33)).steps == 3


class Stopped(Exception):
    """Somebody has had enough."""


async def test_a_stopped_training_goes_on_and_ends_the_same(lab, monkeypatch):
    whole = await trained(lab, name="whole")
    heard = []

    def until_the_third(now):
        heard.append(now.step)
        if heard == [1, 2, 3]:
            raise Stopped

    lab.report = until_the_third
    # A checkpoint is saved once a minute, and this training takes no second.
    monkeypatch.setattr(Trainer, "run", partialmethod(Trainer.run, every=0.0))
    with pytest.raises(Stopped):
        await trained(lab)
    again = await trained(lab)
    assert heard[3] in (2, 3)
    assert again.digest == whole.digest


async def test_a_finished_training_is_not_done_again(lab):
    first, heard = await trained(lab), []
    lab.report = heard.append
    assert (await trained(lab)).digest == first.digest
    assert heard == []


async def test_other_settings_under_the_same_name_are_refused(lab):
    await trained(lab)
    with pytest.raises(WontWork, match="another training: k=4 there, 5 here"):
        await trained(lab, k=5)


async def test_a_coder_that_was_not_trained_here_is_not_overwritten(lab):
    await trained(lab)
    (trained_folder(lab, "ours") / CHECKPOINT).unlink()
    with pytest.raises(WontWork, match="is a coder 'ours' already"):
        await trained(lab)


async def test_a_costly_training_needs_approval_and_says_how_much(lab):
    with pytest.raises(NeedsApproval, match="approved_cost=") as refused:
        await trained(lab, steps=10**9)
    assert refused.value.cost > training_cost.FREE
    assert f"approved_cost={refused.value.cost:.0f}" in refused.value.reason
    assert not trained_folder(lab, "ours").exists()


async def test_what_was_approved_is_done_and_less_is_not_enough(lab, monkeypatch):
    monkeypatch.setattr(training_cost, "FREE", 0.0)
    with pytest.raises(NeedsApproval) as refused:
        await trained(lab)
    with pytest.raises(NeedsApproval):
        await trained(lab, approved_cost=refused.value.cost - 0.5)
    assert (await trained(lab, approved_cost=refused.value.cost)).steps == 6


async def test_cost_grows_with_the_positions_that_are_run_for_nothing(lab):
    costs = {}
    for positions in ("all", "text"):
        with pytest.raises(NeedsApproval) as refused:
            await trained(lab, steps=10**9, positions=positions)
        costs[positions] = refused.value.cost
    assert costs["text"] > 2 * costs["all"]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"tokens": 5}, "either steps or tokens"),
        ({"steps": None}, "either steps or tokens"),
        ({"name": "../ours"}, "train_sae: name"),
    ],
)
async def test_what_can_not_be_meant_is_refused(lab, more, fault):
    with pytest.raises(WontWork, match=fault):
        await trained(lab, **more)


def test_the_target_is_not_loaded_a_second_time_beside_the_observers(lab):
    def again():
        raise AssertionError("loaded again")

    made = Lab(Makers(*[lambda: lab.observer] * 6, target=again), {"explore": Noise()}, lab.runs)
    assert made.seeing.adapter is made.target


async def test_a_layer_that_is_not_there_is_named(lab):
    with pytest.raises(WontWork, match=r"No hook point 'layers\.9'"):
        await trained(lab, hook="layers.9")
