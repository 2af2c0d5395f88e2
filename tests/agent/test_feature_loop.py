"""The loop finds what one question can't: alternatives, conditions, and that there is nothing."""

from itertools import cycle

import pytest

from agent.desk import Desk, MemoryKeeper, Rules
from agent.feature import Inquiry, choose, experiment, gather, propose
from agent.findings import Provenance, Test
from sae_core.index.build import build_index
from sae_core.index.observer import source_of, spec_of
from sae_core.index.query import Index
from sae_core.scoring.estimate import Estimate
from tests.tools.oracles import BY_LABEL, OracleClip, OracleGrounder
from tools.backends.chat import ChatReply
from tools.claims import normal
from tools.failures import WontWork
from tools.lab import Lab, Makers
from toybox.conversations import ToyboxPictures
from toybox.editing import SceneEditor
from toybox.planted import Planted, PlantedObserver
from toybox.tags import scene_of
from toybox.vocabulary import BY_ID, COLOURS, SCENES
from toybox.world_text import caption

pytestmark = pytest.mark.anyio

SIZE = 200
BEACH, SEA, RED, BLUE, SIGN, CUP, LEGS, UMBRELLA = (
    BY_ID[name]
    for name in (
        "scene:beach", "scene:sea", "color:red", "color:blue", "object:sign", "object:cup",
        "part:legs", "object:umbrella",
    )
)  # fmt: skip
FEATURES = (
    Planted("single", SIGN),
    Planted("or", BEACH, SEA),
    Planted("and", SIGN, RED),
    Planted("and not", BLUE, RED),
    Planted("noise"),
    Planted("and", CUP, BEACH),
    Planted("and not", LEGS, UMBRELLA),
)
SINGLE, EITHER, BOTH, WITHOUT, NOISE, RARE, UNMET = range(len(FEATURES))
UNABLE = "Unable to produce descriptions"


class Drawn(ToyboxPictures):
    """Each picture is drawn once for all tests."""

    def __init__(self):
        super().__init__("explore", SIZE)
        self.drawn = [ToyboxPictures.picture(self, number) for number in range(SIZE)]

    def picture(self, number):
        return self.drawn[number]


class LooseClip(OracleClip):
    """Knows a concept without its article, too."""

    def of_texts(self, texts):
        labels = {normal(label): label for label in BY_LABEL}
        return super().of_texts([labels.get(normal(text), text) for text in texts])


class LooseGrounder(OracleGrounder):
    """Likewise."""

    def locate(self, pictures, labels):
        known = {normal(label): label for label in BY_LABEL}
        return super().locate(pictures, [known.get(normal(one), one) for one in labels])


class Explainer:
    """Gives the same answers in turn, whatever is shown; knows what scenes and colours are."""

    name = identity = "explainer"

    def __init__(self, *answers):
        self.answers = cycle(answers)

    async def reply(self, request):
        asked = request.messages[-1].text
        if "Which one class" in asked:
            word = asked.split()[-1]
            text = "color" if word in COLOURS else "scene" if word in SCENES else "object"
        else:
            text = f"[EXPLANATION]: {next(self.answers)}"
        return ChatReply(text=text, model=self.name)


class Describer:
    """Says truly what is in a picture."""

    name = identity = "describer"

    def __init__(self, pictures):
        self.captions = {one.tobytes(): caption(scene_of(one)) for one in pictures.drawn}

    async def reply(self, request):
        (shown,) = request.pictures
        return ChatReply(text=self.captions[shown.tobytes()], model=self.name)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    observer, pictures = PlantedObserver(0), Drawn()
    observer.planted = FEATURES
    folder = tmp_path_factory.mktemp("index")
    build_index(folder, spec_of(observer, pictures), source_of(observer, pictures))
    return observer, pictures, Index.open(folder)


@pytest.fixture
def desk_of(world, tmp_path):
    """A desk whose explainer gives these answers; it has no judge."""
    observer, pictures, index = world

    def nobody():
        raise WontWork("This lab has nobody to ask")

    def make(*answers, editor=SceneEditor, **rules):
        makers = Makers(
            observer=lambda: observer,
            index=lambda _: index,
            explainer=lambda: Explainer(*answers),
            judge=nobody,
            grounder=LooseGrounder,
            clip=LooseClip,
            describer=lambda: Describer(pictures),
            editor=editor,
        )
        lab = Lab(makers, {"explore": pictures}, tmp_path)
        provenance = Provenance(model="m", hook="h", coder="c")
        return Desk(lab, "run", provenance=provenance, rules=Rules(**rules))

    return make


async def investigated(desk, feature):
    found = await gather(desk, feature)
    if found.over is None:
        found = await propose(desk, found)
    while found.over is None:
        # As a graph does it: nothing but JSON goes from step to step.
        found = await experiment(desk, Inquiry.model_validate_json(found.model_dump_json()))
    return found


@pytest.mark.parametrize(
    ("feature", "answers"),
    [
        (SINGLE, ["sign", "sign", "tree"]),
        (EITHER, ["a beach", "the sea", "the sea"]),
        (BOTH, ["sign"]),
        (WITHOUT, ["blue color", "car"]),
    ],
)
async def test_the_winner_is_what_the_feature_means(desk_of, feature, answers):
    found = await investigated(desk_of(*answers), feature)
    winner = choose(found)
    assert winner is not None
    assert normal(winner.claim) == normal(FEATURES[feature].label)
    kinds = [test.kind for test in winner.tests]
    # A scene is everywhere: there is nowhere else as much to cover.
    assert ("occlude" in kinds) == (feature != EITHER)
    # Near misses are few: all of them, but seldom enough for an interval that is better.
    told = [test for test in winner.tests if test.kind != "edit"]
    assert all(test.estimate.low > test.chance for test in told)
    assert all(test.estimate.value == 1 for test in winner.tests if test.kind == "edit")


async def test_the_one_shot_label_is_what_one_question_gives(desk_of):
    found = await investigated(desk_of("sign"), BOTH)
    assert found.one_shot == "sign"


@pytest.mark.parametrize("answers", [[UNABLE], ["cup", "tree", "cup"]])
async def test_nothing_wins_where_nothing_is_to_be_explained(desk_of, answers):
    assert choose(await investigated(desk_of(*answers), NOISE)) is None


async def test_a_feature_that_hardly_fires_is_not_investigated(desk_of):
    found = await investigated(desk_of(), RARE)
    assert (found.short, found.over) == (True, "it fires on too few pictures")
    assert choose(found) is None


async def test_every_hypothesis_stays_in_the_ledger_with_its_tests(desk_of):
    found = await investigated(desk_of("a beach", "the sea", "tree"), EITHER)
    claims = {normal(one.claim): one for one in found.hypotheses}
    assert {"beach", "sea", "tree", "beach or sea", "beach or tree", "sea or tree"} <= set(claims)
    assert {claims[one].origin for one in ("beach or sea", "beach or tree")} == {"either"}
    assert all(one.tests for one in found.hypotheses[:5])


async def test_what_can_be_covered_without_loss_is_passed_over(desk_of):
    found = await investigated(desk_of("sign", "sign", "tree"), SINGLE)
    best, *others = found.hypotheses
    estimate = Estimate(value=0.02, low=0, high=0.4, n=8)
    useless = Test(kind="occlude", asked="covered", estimate=estimate, chance=0)
    doubted = best.model_copy(update={"tests": (*best.tests, useless)})
    assert choose(found) == best
    assert choose(found.model_copy(update={"hypotheses": (doubted, *others)})) is None


async def test_what_no_picture_shows_is_found_by_editing(desk_of):
    """Nowhere are legs beside an umbrella, so that pictures alone can't tell that it matters."""
    desk = desk_of("legs")
    found = await investigated(desk, UNMET)
    winner = choose(found)
    assert winner is not None
    assert normal(winner.claim) == normal(FEATURES[UNMET].label)
    plain = next(one for one in found.hypotheses if one.claim == "legs")
    (test,) = [test for test in plain.tests if test.kind == "edit"]
    assert test.estimate.high < test.chance
    assert test.evidence
    assert all(one in desk.lab.artefacts for one in test.evidence)
    assert plain.standing is not None
    assert winner.standing is not None
    assert plain.standing > winner.standing


async def test_what_mispredicts_an_edit_is_passed_over(desk_of):
    found = await investigated(desk_of("sign", "sign", "tree"), SINGLE)
    best, *others = found.hypotheses
    estimate = Estimate(value=0.1, low=0.02, high=0.4, n=8)
    wrong = Test(kind="edit", asked="edited", estimate=estimate, chance=0.5)
    doubted = best.model_copy(update={"tests": (*best.tests, wrong)})
    next_best = choose(found.model_copy(update={"hypotheses": (doubted, *others)}))
    assert next_best is not None
    assert next_best.claim != best.claim


async def test_without_an_editor_nothing_is_edited(desk_of):
    desk = desk_of("sign", editor=None)
    found = await investigated(desk, BOTH)
    assert not [one for one in found.done if one.startswith("edit")]
    assert choose(found) is not None


async def test_no_experiment_is_made_twice_and_rounds_are_limited(desk_of):
    desk = desk_of("sign", "red color", "car", rounds=2)
    found = await investigated(desk, BOTH)
    assert len(found.done) == len(set(found.done)) <= 2


async def test_a_step_done_again_gives_the_same(desk_of):
    desk = desk_of("sign")
    begun = await propose(desk, await gather(desk, BOTH))
    first, again = await experiment(desk, begun), await experiment(desk, begun)
    kept = first.model_copy(update={"spent": again.spent})
    assert kept == again


async def test_calls_of_models_are_limited(desk_of):
    desk = desk_of("sign", calls=1)
    begun = await propose(desk, await gather(desk, BOTH))
    spent = begun.model_copy(update={"spent": begun.spent.model_copy(update={"calls": 1})})
    assert (await experiment(desk, spent)).over == "1 calls of models are spent"


async def test_all_that_is_done_is_recorded(desk_of):
    desk = desk_of("sign")
    await investigated(desk, BOTH)
    assert isinstance(desk.keeper, MemoryKeeper)
    tools = {event.tool for event in desk.keeper.events if event.kind == "tool"}
    assert {"top_images", "explain", "seek", "look", "describe", "tell_apart"} <= tools
