"""On a cluster of three nodes, two of which die: the same index and findings as in one process."""

import importlib.util
import json

import pytest
from typer.testing import CliRunner

from agent.findings import FeatureFinding
from agent.store import Reader
from benchmarks.killed import ENDS
from benchmarks.ray_nodes import DIED, cluster, disturbed, files, some_counted, some_found
from lmmscope import ray_cluster
from lmmscope.cli import app
from lmmscope.ray_cluster import Posts
from lmmscope.ray_worker import Told, Worker
from lmmscope.settings import load_settings
from sae_core.errors import UserError

pytestmark = pytest.mark.timeout(900)  # a cluster takes its time on a machine that is busy
FEW = {
    "LMMSCOPE_DATA__EXPLORE_PICTURES": "400",
    "LMMSCOPE_DATA__HELD_OUT_PICTURES": "200",
    "OMP_NUM_THREADS": "1",
}
NODES = 3
FEATURES = "0,3,5,7"
"""Without an explanation, supported, refuted, supported."""
BATCH = ("batch", "--planted-seed", "0", "--features", FEATURES, "--no-steer", "--json")


@pytest.fixture
def anyio_backend():
    return "asyncio"


def here(*words):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setenv(name, value)
        return CliRunner().invoke(app, words)


def process(nodes, *words, moments=()):
    """A process of its own, as Ray leaves threads and open files behind in one that used it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setenv(name, value)
        return disturbed(words, nodes, moments)


def findings(folder):
    """All that has to be the same; `benchmarks.killed` compares likewise."""
    with Reader(folder) as store:
        found = [one for run in store.runs_begun() for one in store.findings(run.id)]
    assert all(isinstance(one, FeatureFinding) for one in found)
    keys = [one.key for one in found]
    assert len(keys) == len(set(keys))
    return {one.key: one.model_dump(mode="json", exclude=ENDS) for one in found}


def calls(folder):
    """What was asked for which step, and what came of it; of a step in no order."""
    with Reader(folder) as store:
        (run,) = store.runs_begun()
        asked = store.calls(run.id)
    return sorted((one.unit, one.step, one.role, one.digest, one.said().text) for one in asked)


def indexes(folder):
    return {one.name: files(one) for one in (folder / "indexes").iterdir()}


@pytest.fixture(scope="module")
def nodes():
    pytest.importorskip("ray")
    with cluster(NODES) as made:
        yield made


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    done = here(*BATCH, "--runs", str(folder))
    assert done.exit_code == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def together(nodes, tmp_path_factory):
    """A batch, during which a node dies while pictures are counted, and one while features are."""
    folder = tmp_path_factory.mktemp("together")
    on = ("--runs", str(folder), "--ray", nodes.address, "--actors", str(NODES))
    moments = (some_counted(folder, nodes, NODES), some_found(folder))
    return folder, process(nodes, *BATCH, *on, moments=moments)


def test_the_findings_are_those_of_one_process(alone, together):
    folder, _ = together
    assert findings(folder) == findings(alone)
    statuses = {one["feature"]: one["status"] for one in findings(folder).values()}
    assert statuses == {0: "no explanation", 3: "supported", 5: "refuted", 7: "supported"}


def test_the_indexes_are_those_of_one_process_byte_by_byte(alone, together):
    folder, _ = together
    assert indexes(folder) == indexes(alone)
    assert any("lit.npz" in one for one in indexes(folder).values())


def test_nodes_died_while_they_worked(together):
    _, done = together
    assert done.moments == 2
    assert done.said.count(DIED) >= 2


def test_standard_output_holds_the_answer_alone(together):
    _, done = together
    assert json.loads(done.answer)["status"] == "done"


def test_nothing_is_on_record_twice_and_every_artefact_has_arrived(together):
    folder, _ = together
    with Reader(folder) as store:
        (run,) = store.runs_begun()
        events, calls = store.events(run.id), store.calls(run.id)
        assert all(one in store.artefacts for event in events for one in event.artefacts)
        shown = {p.picture for call in calls for m in call.messages for p in m.parts if p.picture}
        assert all(one in store.artefacts for one in shown)
    names = [one.name for one in events]
    assert len(names) == len(set(names))
    assert {one.unit for one in events} == {"run", "0", *(f"0/{n}" for n in FEATURES.split(","))}


def test_models_were_asked_the_same_and_said_the_same(alone, together):
    """What a replay needs is on record."""
    folder, _ = together
    assert calls(folder) == calls(alone)
    assert len(calls(folder)) > 100


def test_a_part_of_an_index_is_counted_on_the_cluster_and_the_rest_here(nodes, tmp_path):
    asked = ("index", "build", "-n", "96", "--planted-seed", "0", "--out")
    assert here(*asked, str(tmp_path / "one")).exit_code == 0
    process(nodes, *asked, str(tmp_path / "many"), "--part", "0:64", "--ray", nodes.address)
    parts = [path.stem for path in (tmp_path / "many" / "parts").iterdir()]
    assert parts == ["pictures-0000000000-0000000064"]
    assert here(*asked, str(tmp_path / "many")).exit_code == 0
    one, many = files(tmp_path / "one"), files(tmp_path / "many")
    assert many == {name: content for name, content in one.items() if name != "lit.npz"}


@pytest.mark.anyio
async def test_a_node_with_other_features_is_refused_by_name():
    """Its counts would spoil the index of all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LMMSCOPE_DATA__EXPLORE_PICTURES", "8")
        worker = Worker(load_settings(), 0, None)
    explored = await worker.call("explore", {})
    spec = explored.value.spec
    assert await worker.call("agree", spec) == Told(None)
    refused = await worker.call("agree", spec.model_copy(update={"coder": "of another seed"}))
    assert refused.trouble.kind == "UserError"
    assert "has other coder than the first node" in refused.trouble.reason
    assert await worker.call("end") == Told(None)


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("127.0.0.1:1", "no cluster answers there"),
        ("ray://somewhere:10001", "auto, local or the head node's HOST:PORT"),
        ("somewhere", "auto, local or the head node's HOST:PORT"),
    ],
)
def test_an_address_without_a_cluster_is_told_in_one_line(tmp_path, address, named):
    refused = here("index", "build", "--out", str(tmp_path / "i"), "--ray", address)
    assert refused.exit_code == 2
    (line,) = refused.stderr.splitlines()
    assert address in line
    assert named in line


def test_the_address_of_the_environment_is_named_where_nobody_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    refused = here("index", "build", "--out", str(tmp_path / "i"), "--ray", "auto")
    assert refused.exit_code == 2
    assert "--ray 127.0.0.1:1: no cluster answers there" in refused.stderr


def test_without_ray_the_extra_is_named(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        ray_cluster, "find_spec", lambda name: None if name == "ray" else found(name)
    )
    refused = here("batch", "--features", "1", "--runs", str(tmp_path), "--ray", "local")
    assert refused.exit_code == 2
    assert "pip install 'lmmscope[ray]'" in refused.stderr
    assert not (tmp_path / "findings.db").exists()


def test_what_investigates_freely_stays_here(tmp_path):
    refused = here(
        "batch", "--features", "1", "--free", "--runs", str(tmp_path), "--ray", "127.0.0.1:1"
    )
    assert refused.exit_code == 2
    assert "--free" in refused.stderr


@pytest.mark.parametrize(
    ("nodes", "wanted", "posts"),
    [
        ([{"CPU": 8.0, "GPU": 2.0}, {"CPU": 8.0, "GPU": 2.0}], None, Posts(4, 1, 1)),
        ([{"CPU": 8.0, "GPU": 2.0}], 4, Posts(4, 1, 0.5)),
        ([{"CPU": 8.0, "GPU": 8.0}], 2, Posts(2, 1, 1)),
        ([{"CPU": 8.0}, {"CPU": 4.0}], None, Posts(6, 2, 0)),
        ([{"CPU": 8.0}, {"CPU": 4.0}], 2, Posts(2, 4, 0)),
        ([{"CPU": 1.0}] * 3, None, Posts(1, 1, 0)),
        ([{"CPU": 1.0}] * 3, 3, Posts(3, 1, 0)),
        ([{"CPU": 2.0}, {}], 5, Posts(5, 1, 0)),
    ],
)
def test_workers_fit_on_the_nodes(nodes, wanted, posts):
    assert ray_cluster._posts(nodes, wanted) == posts


def test_a_cluster_without_cpus_is_told():
    with pytest.raises(UserError, match="no CPUs"):
        ray_cluster._posts([{"memory": 1.0}], None)
