"""A batch goes on after what fails, and stops where everything would."""

import os
from types import SimpleNamespace

import pytest
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from agent.batch import IN_A_ROW, label
from agent.desk import Desk
from agent.findings import Provenance
from agent.office import Office
from agent.provenance import feature_key
from agent.store import Store
from tests.agent.store.conftest import finding_of
from tools.failures import TryAgain, WontWork

pytestmark = pytest.mark.anyio
KNOWN = Provenance(model="m", hook="h", coder="coder")


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def office_of(tmp_path):
    """An office whose features come to what `fate` says: an error, or a finding."""
    with Store(tmp_path) as store:
        store.begin("r1", "?", KNOWN, pid=os.getpid())
        desk = Desk(None, "r1", provenance=KNOWN, keeper=store)

        def make(fate, workers=1):
            async def elsewhere(_desk, kept, _unit, feature, key):
                if (error := fate(feature)) is not None:
                    raise error
                kept.put(finding_of(feature=feature, key=key))

            nobody = SimpleNamespace()
            return Office(
                desk, nobody, store, nobody, nobody, RunControl(), workers, elsewhere=elsewhere
            )

        yield make


def down(_feature):
    return TryAgain("the explainer is down")


async def labelled(office, count):
    return await label(office, "0", range(count), lambda finding: finding.feature)


@pytest.mark.parametrize("workers", [1, 3, 8])
async def test_a_server_that_is_down_stops_a_batch_that_can_be_gone_on_with(office_of, workers):
    """Else thousands of features would be listed as failed within a minute."""
    with pytest.raises(GraphDrained, match=r"in a row failed.* the explainer is down"):
        await labelled(office_of(down, workers), 1000)
    office = office_of(lambda _: None, workers)
    asked = len([one for one in office.store.events("r1") if one.kind == "failure"])
    assert asked <= max(IN_A_ROW, workers) + workers
    done = await labelled(office, 30)
    assert (len(done.found), done.failed) == (30, ())


async def test_what_fails_now_and_then_stops_nothing(office_of):
    done = await labelled(office_of(lambda one: down(one) if one % 2 else None), 40)
    assert (len(done.found), len(done.failed)) == (20, 20)


async def test_what_will_never_work_stops_nothing(office_of):
    done = await labelled(office_of(lambda _: WontWork("no")), 40)
    assert len(done.failed) == 40


async def test_what_was_known_before_says_nothing_of_a_server(office_of):
    office = office_of(lambda one: down(one) if one % 2 else None)
    for feature in range(0, 40, 2):
        office.store.put(
            finding_of(feature=feature, key=feature_key(KNOWN, feature, office.desk.rules))
        )
    with pytest.raises(GraphDrained):
        await labelled(office, 40)
