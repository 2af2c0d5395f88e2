"""Profiles: what is read, what wins, and that every mistake is named."""

from pathlib import Path

import pytest

from lmmscope.settings import known_profiles, load_settings
from lmmscope.wiring import model_folder, use_threads
from lmmscope.work import usual_workers
from sae_core.errors import UserError

MODELS = '[models]\ntarget = "t"\nexplainer = "e"\njudge = "j"\nclip = "c"\ngrounder = "g"\n'


@pytest.fixture
def profile(tmp_path):
    def write(content: str) -> str:
        path = tmp_path / "mine.toml"
        path.write_text(content)
        return str(path)

    return write


def test_the_default_profile_is_the_toybox_and_needs_no_server():
    settings = load_settings()
    assert settings.name == "toybox"
    assert settings.models.target == "toybox:target"
    assert settings.servers.given() == {}
    assert (settings.runs, settings.threads) == (Path("runs"), None)


@pytest.mark.parametrize("name", known_profiles())
def test_every_shipped_profile_loads_under_its_own_name(name):
    assert load_settings(name).name == name


def test_a_profile_can_be_a_file_and_is_named_after_it(profile):
    assert load_settings(profile(MODELS)).name == "mine"


def test_the_environment_chooses_the_profile(profile, monkeypatch):
    monkeypatch.setenv("LMMSCOPE_PROFILE", profile(MODELS))
    assert load_settings().models.target == "t"


def test_a_profile_that_is_named_wins_over_the_environment(profile, monkeypatch):
    monkeypatch.setenv("LMMSCOPE_PROFILE", profile(MODELS))
    assert load_settings("toybox").name == "toybox"


def test_the_environment_overrules_single_values_of_the_file(monkeypatch):
    monkeypatch.setenv("LMMSCOPE_THREADS", "3")
    monkeypatch.setenv("LMMSCOPE_MODELS__CLIP", "/elsewhere")
    monkeypatch.setenv("LMMSCOPE_SERVERS__JUDGE", "http://localhost:30000/v1/")
    settings = load_settings()
    assert (settings.threads, settings.models.clip) == (3, "/elsewhere")
    assert settings.models.target == "toybox:target"
    assert settings.servers.given() == {"judge": "http://localhost:30000"}


def test_an_empty_variable_changes_nothing(monkeypatch):
    monkeypatch.setenv("LMMSCOPE_THREADS", "")
    assert load_settings().threads is None


def test_a_profile_extends_another_table_by_table(profile, tmp_path):
    base = f"threads = 3\n{MODELS}[data]\nhook = 'layers.2'\nfiring = 0.25\n"
    (tmp_path / "base.toml").write_text(base)
    settings = load_settings(profile("extends = 'base.toml'\n[data]\nhook = 'layers.5'\n"))
    assert (settings.name, settings.threads, settings.models.clip) == ("mine", 3, "c")
    assert (settings.data.hook, settings.data.firing) == ("layers.5", 0.25)


def test_a_profile_can_extend_a_shipped_one_and_be_extended(profile, tmp_path):
    (tmp_path / "base.toml").write_text("extends = 'llava-next-8b'\nbits = 8\n")
    settings = load_settings(profile("extends = 'base.toml'\n[models]\nclip = 'mine'\n"))
    assert (settings.bits, settings.models.clip) == (8, "mine")
    assert settings.models.target == "llava-hf/llama3-llava-next-8b-hf"


def test_a_profile_that_extends_itself_is_refused(profile, tmp_path):
    (tmp_path / "other.toml").write_text("extends = 'mine.toml'")
    with pytest.raises(UserError, match="extends itself"):
        load_settings(profile("extends = 'other.toml'"))


@pytest.mark.parametrize(
    ("name", "hook", "features", "k"),
    [
        ("llava-next-8b", "layers.24", 131072, 256),
        ("llava-next-8b-layer-8", "layers.7", 131072, 4096),
        ("llava-next-8b-layer-25", "layers.24", 131072, 4096),
        ("llava-next-8b-layer-32", "layers.31", 131072, 4096),
    ],
)
def test_the_papers_layers_count_from_one_and_ours_from_zero(name, hook, features, k):
    settings = load_settings(name)
    assert settings.data.hook == hook
    assert settings.coder is not None
    assert (settings.coder.features, settings.coder.k, settings.data.firing) == (features, k, 0)


@pytest.mark.parametrize("name", [n for n in known_profiles() if n != "toybox"])
def test_a_profile_of_real_models_publishes_what_planning_needs(name):
    settings = load_settings(name)
    target = settings.published.models["target"]
    assert all((target.layers, target.width, target.inner, target.tokens, target.cells))
    assert int(settings.data.hook.removeprefix("layers.")) < target.layers
    assert settings.engines["explainer"].options
    for key in ("explore", "validation", "test"):
        assert getattr(settings.data, key).startswith("hub:")
        assert key in settings.published.data


def test_an_unknown_profile_is_named_with_those_that_there_are():
    with pytest.raises(UserError, match=r"No profile 'toybx'\. Known: .*toybox; or give"):
        load_settings("toybx")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            f"thread = 2\n{MODELS}",
            "unknown key thread (known: name, models, data, servers, coder, engines, published, ",
        ),
        (MODELS.replace("clip", "clipp"), "unknown key models.clipp (known: target, explainer"),
        (MODELS.replace("clip", "clipp"), "models.clip is missing"),
        (f"{MODELS}[servers]\nplaner = 'http://x'", "unknown key servers.planer"),
        (f"threads = 0\n{MODELS}", "threads = 0: input should be greater than 0"),
        (f"{MODELS}[servers]\njudge = 'localhost:3'", "judge.base_url: not an address like http"),
        (MODELS.replace('judge = "j"\n', ""), "neither models.judge nor servers.judge is given"),
        ("threads = ", "can't be read"),
    ],
)
def test_a_mistake_in_a_profile_is_named(profile, content, complaint):
    with pytest.raises(UserError, match=r"mine\.toml") as caught:
        load_settings(profile(content))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_profile_file_is_named():
    with pytest.raises(UserError, match=r"No profile file at nowhere\.toml"):
        load_settings("nowhere.toml")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("LMMSCOPE_THREAD", "2", "Unknown variable LMMSCOPE_THREAD .*LMMSCOPE_THREADS"),
        ("LMMSCOPE_MODELS__TARGT", "x", r"unknown key models\.targt"),
        ("LMMSCOPE_MODELS", "not json", "variable can't be read"),
        ("LMMSCOPE_THREADS", "many", "threads = 'many'"),
    ],
)
def test_a_mistyped_variable_is_refused_not_ignored(monkeypatch, name, value, complaint):
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=complaint):
        load_settings()


def test_a_server_can_stand_in_for_a_folder(profile):
    content = MODELS.replace('judge = "j"\n', "") + "[servers]\njudge = 'https://judge.test'"
    assert load_settings(profile(content)).models.judge is None


def test_shipped_models_lie_in_the_toybox_package():
    folder = model_folder("toybox:clip")
    assert folder.parts[-3:] == ("toybox", "weights", "clip")
    assert (folder.parents[1] / "__init__.py").is_file()


def test_another_model_is_a_path():
    assert model_folder("~/models/x") == Path.home() / "models/x"


def test_the_profile_limits_the_threads_of_torch(monkeypatch):
    import torch

    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    use_threads(load_settings())
    monkeypatch.setenv("LMMSCOPE_THREADS", "1")
    use_threads(load_settings())
    assert asked == [1]


@pytest.mark.parametrize(
    ("address", "workers"),
    [(None, 4), ("http://127.0.0.1:1", 8), ("http://127.0.0.1:1,http://127.0.0.1:2", 16)],
)
def test_a_batch_has_as_many_workers_as_its_explainer_answers(monkeypatch, address, workers):
    if address is not None:
        monkeypatch.setenv("LMMSCOPE_SERVERS__EXPLAINER__BASE_URL", address)
    assert usual_workers(load_settings()) == workers
