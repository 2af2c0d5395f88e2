"""Several addresses for one role: how a profile says so, and what is checked beforehand."""

import json
from contextlib import ExitStack

import pytest

from lmmscope.doctor_servers import examine
from lmmscope.laboratory import named
from lmmscope.settings import load_settings
from sae_core.errors import UserError
from tests.lmmscope.listing import serving
from tools.backends.config import ServerConfig

NOWHERE = "http://127.0.0.1:9"


def listing(*models):
    return json.dumps({"data": [{"id": model} for model in models]}).encode()


@pytest.fixture
def replicas():
    """Servers that list such models; their addresses."""
    with ExitStack() as stack:
        yield lambda *bodies: [stack.enter_context(serving(200, body))[0] for body in bodies]


@pytest.mark.parametrize("name", ["EXPLAINER", "EXPLAINER__BASE_URL"])
@pytest.mark.parametrize("value", ["http://a,http://b/v1", '["http://a", "http://b"]'])
def test_the_environment_names_replicas(name, value, monkeypatch):
    if name == "EXPLAINER__BASE_URL" and value.startswith("["):
        value = value.strip("[]").replace('"', "")
    monkeypatch.setenv(f"LMMSCOPE_SERVERS__{name}", value)
    assert load_settings().servers.explainer.addresses == ("http://a", "http://b")


def test_a_profile_names_replicas(tmp_path):
    (tmp_path / "p.toml").write_text(
        "extends = 'toybox'\n[servers]\njudge = ['http://a', 'http://b']\n"
        "explainer = { base_url = ['http://c', 'http://d'], concurrency = 3 }\n"
    )
    servers = load_settings(str(tmp_path / "p.toml")).servers
    assert servers.judge.addresses == ("http://a", "http://b")
    assert (servers.explainer.addresses, servers.explainer.concurrency) == (
        ("http://c", "http://d"), 3,
    )  # fmt: skip


def test_a_planner_has_one_address(monkeypatch):
    monkeypatch.setenv("LMMSCOPE_SERVERS__PLANNER", "http://a,http://b")
    with pytest.raises(UserError, match=r"servers\.planner: a planner has one address"):
        load_settings()


def test_the_only_model_of_all_replicas_is_asked(replicas):
    urls = replicas(listing("lmm"), listing("lmm"))
    assert named(ServerConfig(base_url=[*urls, NOWHERE])).model == "lmm"


@pytest.mark.parametrize("model", ["", "lmm"])
def test_replicas_of_different_models_are_refused(model, replicas):
    urls = replicas(listing("lmm"), listing("other"))
    with pytest.raises(UserError) as failed:
        named(ServerConfig(base_url=urls, model=model))
    told = str(failed.value)
    assert told.startswith(f"{urls[1]} serves another model than its replicas")
    assert f"{urls[0]} lmm; {urls[1]} other" in told
    assert "\n" not in told


def test_replicas_that_are_all_down_are_named():
    with pytest.raises(UserError, match=rf"{NOWHERE}, http://127\.0\.0\.1:8 does not say"):
        named(ServerConfig(base_url=[NOWHERE, "http://127.0.0.1:8"]))


def test_the_doctor_lists_each_replica(replicas, monkeypatch):
    (url,) = replicas(listing("lmm"))
    monkeypatch.setenv("LMMSCOPE_SERVERS__EXPLAINER", f"{url},{NOWHERE}")
    checks = examine(load_settings())
    assert [check.state for check in checks] == ["ok", "missing"]
    assert url in checks[0].found
    assert NOWHERE in checks[1].found
    assert "--port 9" in checks[1].fix
