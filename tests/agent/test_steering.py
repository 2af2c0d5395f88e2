"""The steering test tells features that move the model, and towards what, from those that don't."""

import pytest

from agent.desk import Desk
from agent.findings import Provenance
from agent.steering import PICTURES, PROMPTS, TIMES, Case, outcome, sayable, steering_test
from sae_core.steering.controls import CONTROLS
from sae_core.steering.experiment import Steered
from tests.tools.small_lab import small_lab
from tools.effects import NotJudged
from tools.lab import Lab, Makers
from tools.steer import Reply, SteerResult
from toybox.conversations import ToyboxPictures
from toybox.planted import PlantedObserver

pytestmark = pytest.mark.anyio
PROVENANCE = Provenance(model="m", hook="h", coder="c")


@pytest.fixture
def anyio_backend():
    return "asyncio"


def reply(kl, *, control=None, likelier=0.0, text="a car"):
    return Reply(
        control=control, strength=1.0, text=text, differs=True, changes={"cup": likelier}, kl=kl,
        perplexity=1.0, effect=NotJudged(why="no topic"), recipe=None,
    )  # fmt: skip


def cases(feature, controls, count=PICTURES):
    """Cases in which feature and controls do the same in each, a little more each time."""
    found = [
        SteerResult(
            hook="h",
            mode="strict",
            unsteered=reply(0.0),
            steered=(feature.model_copy(update={"kl": feature.kl + number / 100}),),
            controls=tuple(
                controls.get(name, reply(0.1)).model_copy(update={"control": name})
                for name in CONTROLS
            ),
            experiment="0" * 64,
        )
        for number in range(count)
    ]
    return [Case(PROMPTS[0], one) for one in found]


def role(feature, controls=None, label="cup", words=("cup",), count=PICTURES):
    some = cases(feature, controls or {}, count)
    return outcome(label, words if label else (), 1.0, some, [], 0)


STRONG = reply(2.0, likelier=3.0)


def test_a_feature_that_moves_the_model_towards_its_verified_label_is_both():
    found = role(STRONG)
    assert found.role == "both"
    assert [one.name for one in found.swings] == ["feature", *CONTROLS]
    assert found.swings[0].about.value == 3.0


def test_what_is_said_counts_too():
    assert role(reply(2.0, text="cup cup cup")).role == "both"


def test_a_feature_that_moves_the_model_unexplained_is_output():
    found = role(STRONG, label=None)
    assert found.role == "output"
    assert found.swings[0].about is None


@pytest.mark.parametrize("control", ["reconstruction", "random_feature", "random_direction"])
def test_one_control_that_does_as_much_is_enough_to_doubt(control):
    pushed, astray = {control: reply(2.5)}, {control: reply(0.1, likelier=3.0)}
    assert role(STRONG, pushed, label=None).role == "uninterpretable"
    assert control.replace("_", " ") in role(STRONG, pushed, label=None).why
    assert role(STRONG, astray).role == "input"
    assert control.replace("_", " ") in role(STRONG, astray).why


def test_a_push_that_derails_the_model_as_far_does_not_go_the_same_way():
    assert role(STRONG, {"random_feature": reply(9.0)}).role == "both"
    assert role(STRONG, {"reconstruction": reply(9.0)}).role == "input"


def test_the_wrong_sign_may_move_the_model_but_not_towards_the_label():
    assert role(STRONG, {"wrong_sign": reply(2.5)}).role == "both"
    astray = role(STRONG, {"wrong_sign": reply(2.5, likelier=3.0)})
    assert (astray.role, "wrong sign" in astray.why) == ("input", True)


def test_too_few_pictures_prove_nothing():
    assert role(STRONG, count=4).role == "input"


def test_without_a_word_for_the_label_how_far_the_model_moves_has_to_do():
    assert role(STRONG, words=()).role == "both"
    assert role(STRONG, {"random_feature": reply(2.5)}, words=()).role == "input"


def test_words_that_carry_no_meaning_and_conditions_are_not_looked_for(tmp_path):
    lab = small_lab(tmp_path)
    assert sayable(lab, "a cat or the color yes without dog") == ("cat", "yes")
    assert sayable(lab, None) == ()


async def test_a_real_feature_is_steered_beside_all_controls(tmp_path):
    lab = small_lab(tmp_path)
    desk = Desk(lab, "run", provenance=PROVENANCE)
    feature = int(lab.index("explore").picture_rates().argmax())
    found = await steering_test(desk, feature, None)
    assert found.role in ("output", "uninterpretable")
    assert [one.name for one in found.swings[:5]] == ["feature", *CONTROLS]
    assert {len(texts) for texts in found.texts.values()} <= {1, PICTURES}
    assert len(found.prompts) == PICTURES
    assert set(found.prompts) == set(PROMPTS)
    peak = lab.index("explore").feature(feature).peak
    assert found.strength in [pytest.approx(peak * times) for times in TIMES]
    for experiment in found.experiments:
        assert lab.artefacts.document(experiment, Steered).hook == lab.seeing.hook


async def test_drawn_features_can_not_be_steered(tmp_path):
    def none():
        pytest.fail("nothing else is needed")

    makers = Makers(lambda: PlantedObserver(0), none, none, none, none, none)
    lab = Lab(makers, {"explore": ToyboxPictures("explore", 4)}, tmp_path)
    found = await steering_test(Desk(lab, "run", provenance=PROVENANCE), 0, "cup")
    assert found.role == "not testable"
    assert "drawn, not computed" in found.why
