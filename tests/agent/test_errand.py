"""Errands: sent while there is budget, taken home whole, and done without a store."""

import os

import pytest

from agent.bundle import Bundle, Errand, Seal, Trouble
from agent.desk import Desk, Rules
from agent.errand import Messenger, Satchel, carry_out
from agent.errors import Broke
from agent.findings import Provenance
from agent.provenance import feature_key, subject_of
from agent.store import Store
from sae_core.errors import UserError
from sae_core.index.build import build_index
from sae_core.index.harvest import Numbered
from sae_core.index.observer import source_of, spec_of
from sae_core.index.query import Index
from tests.agent.store.conftest import call_of, event_of, finding_of
from tools.backends.budget import Budget, Limits, OverBudget, Spending
from tools.failures import TryAgain, WontWork
from tools.lab import Lab, Makers
from toybox.conversations import ToyboxPictures
from toybox.planted import PlantedObserver

pytestmark = pytest.mark.anyio
KNOWN = Provenance(model="m", hook="h", coder="coder")


class Listening:
    """A listener that remembers."""

    def __init__(self):
        self.texts = []

    def hear(self, event):
        self.texts.append(event.text)


class Sent:
    """Remembers errands, and has bundles ready for them."""

    def __init__(self, *bundles):
        self.errands, self.bundles = [], list(bundles)

    async def __call__(self, errand):
        self.errands.append(errand)
        return self.bundles.pop(0)


def common(observer, pictures):
    """A feature that fires on many pictures."""
    shown = [Numbered(n, pictures.picture(n)) for n in range(len(pictures))]
    values, indices = observer.observe(shown).code
    return int(indices[values > 0].bincount().argmax())


def bundle_of(**parts):
    empty = Bundle((event_of("far away"),), (call_of(),), (), None, {}, Spending(), None)
    return empty._replace(**parts)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def world():
    """Planted features on a few pictures; every index is of all of them."""
    return PlantedObserver(0), ToyboxPictures("explore", 60)


@pytest.fixture
def lab(world, tmp_path):
    """A lab in which nobody can be asked."""
    observer, pictures = world

    def index(_split):
        folder = tmp_path / "index"
        build_index(folder, spec_of(observer, pictures), source_of(observer, pictures))
        return Index.open(folder)

    def nobody():
        raise WontWork("This lab has nobody to ask")

    makers = Makers(lambda: observer, index, nobody, nobody, nobody, nobody)
    return Lab(makers, {"explore": pictures, "test": pictures}, tmp_path / "elsewhere")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "runs") as made:
        made.begin("r1", "?", KNOWN, pid=os.getpid())
        yield made


@pytest.fixture
def listening():
    return Listening()


@pytest.fixture
def desk(lab, store, listening):
    return Desk(lab, "r1", provenance=KNOWN, keeper=store, listeners=(listening,))


async def test_what_happened_elsewhere_is_kept_and_told_once(desk, store, listening):
    sent = Sent(bundle_of(finding=finding_of()), bundle_of(finding=finding_of()))
    bring = Messenger(sent, Budget())
    for _ in range(2):
        await bring(desk, store, "0/118", 118, "key")
    assert listening.texts == [one.text for one in store.events("r1")] == ["far away"]
    assert store.findings("r1") == (finding_of(),)


async def test_an_errand_says_what_was_opened_for_the_feature_before(desk, store):
    seal = Seal("other settings", "a cat", "pictures", subject_of(KNOWN, 118))
    store.take("r1", "0/3", bundle_of(events=(), calls=(), seals=(seal,)))
    sent = Sent(bundle_of())
    await Messenger(sent, Budget())(desk, store, "0/118", 118, "key")
    (errand,) = sent.errands
    assert errand.seals == (seal,)
    assert (errand.run, errand.unit, errand.feature) == ("r1", "0/118", 118)


async def test_what_models_said_in_an_earlier_try_goes_along(desk, store):
    """So that nobody pays for it twice; what would be said differently each time does not."""
    said = (
        call_of("same", settings={"temperature": 0.0}),
        call_of("seeded", settings={"temperature": 1.0, "seed": 3}),
        call_of("different", settings={"temperature": 1.0, "seed": None}),
    )
    failed = bundle_of(events=(), calls=said, trouble=Trouble("WontWork", "no"))
    sent = Sent(failed, bundle_of(finding=finding_of()))
    bring = Messenger(sent, Budget())
    with pytest.raises(WontWork):
        await bring(desk, store, "0/118", 118, "key")
    await bring(desk, store, "0/118", 118, "key")
    assert [set(one.replies) for one in sent.errands] == [set(), {"same", "seeded"}]


async def test_nothing_is_sent_once_the_budget_is_spent(desk, store):
    sent = Sent(bundle_of(spent=Spending(calls=3, tokens=100)), bundle_of(spent=Spending(calls=9)))
    bring = Messenger(sent, Budget(Limits(calls=10)))
    await bring(desk, store, "0/1", 1, "one")
    await bring(desk, store, "0/2", 2, "two")
    assert [one.left.calls for one in sent.errands] == [10, 7]
    with pytest.raises(OverBudget, match="budget of 10 calls"):
        await bring(desk, store, "0/3", 3, "three")


async def test_what_was_paid_for_is_kept_though_others_spent_the_rest(desk, store):
    """Both were sent while there was budget, and more was spent than was foreseen."""
    sent = Sent(bundle_of(spent=Spending(calls=9), finding=finding_of()))
    budget = Budget(Limits(calls=10))
    bring = Messenger(sent, budget, 2)
    async with bring._shares.one() as other:
        other.held.settle(Spending(calls=8))
        await bring(desk, store, "0/118", 118, "key")
    assert store.findings("r1") == (finding_of(),)
    assert budget.spent.calls == 17


async def test_a_share_that_does_not_suffice_is_no_end_while_there_is_more(desk, store):
    """What models said goes along, and nothing is told twice."""
    short = bundle_of(
        spent=Spending(calls=5),
        calls=(call_of("said", settings={"temperature": 0.0}),),
        trouble=Trouble.of(OverBudget("calls", "spent")),
    )
    sent = Sent(short, bundle_of(spent=Spending(calls=5), finding=finding_of()))
    await Messenger(sent, Budget(Limits(calls=10)), 2)(desk, store, "0/118", 118, "key")
    assert [one.left.calls for one in sent.errands] == [5, 5]
    assert [set(one.replies) for one in sent.errands] == [set(), {"said"}]
    assert store.findings("r1") == (finding_of(),)


@pytest.mark.parametrize(
    "error",
    [WontWork("no"), TryAgain("later"), OverBudget("calls", "too much"), UserError("a mistake")],
    ids=lambda error: type(error).__name__,
)
async def test_what_went_wrong_is_raised_here_as_it_was_there(desk, store, error):
    sent = Sent(bundle_of(trouble=Trouble.of(error)))
    with pytest.raises(type(error), match=str(error)):
        await Messenger(sent, Budget())(desk, store, "0/118", 118, "key")
    assert [one.text for one in store.events("r1")] == ["far away"]


async def test_a_bug_keeps_its_traceback_on_its_way_home(desk, store):
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError as bug:
        sent = Sent(bundle_of(trouble=Trouble.of(bug)))
    with pytest.raises(Broke, match="ZeroDivisionError: by nothing") as caught:
        await Messenger(sent, Budget())(desk, store, "0/118", 118, "key")
    assert "raise ZeroDivisionError" in caught.value.trace


async def test_an_errand_that_fails_brings_what_led_to_it(lab, world):
    """The evidence is gathered, and then nobody can be asked."""
    feature, rules = common(*world), Rules(steer=False)
    key = feature_key(KNOWN, feature, rules)
    before = Seal("k", "c", "p", subject_of(KNOWN, feature))
    errand = Errand(
        "r1", f"0/{feature}", feature, key, KNOWN, rules, (before,), Limits(calls=5), {}
    )
    satchel, budget = Satchel(), Budget()
    for _ in range(2):  # the second one begins anew
        bundle = await carry_out(errand, lab, satchel, budget)
        assert bundle.trouble == Trouble("WontWork", "This lab has nobody to ask")
        assert [event.tool for event in bundle.events if event.kind == "tool"] == ["top_images"]
        assert bundle.finding is None
        assert bundle.seals == ()
        named = {one for event in bundle.events for one in event.artefacts}
        assert named <= set(bundle.artefacts)
    assert budget.limits.calls == 5
    assert not list(lab.runs.rglob("*.db")), "whoever does an errand keeps no findings"
