"""A real profile's surroundings, on a stand-in of everything that it names."""

import json
import shutil
import sys

import huggingface_hub.constants
import pytest
from safetensors.torch import load_file, save_file

from benchmarks.paper import chance, scoring
from lmmscope.settings import load_settings
from tests.lmmscope import stand_in, stand_in_targets


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """All profiles' models and pictures, in the published layouts."""
    folder = tmp_path_factory.mktemp("hub")
    stand_in.write_all(folder, pictures=24)
    stand_in.write_others(folder)
    _speaks(*folder.glob("models--llava-hf--*/snapshots/*"))
    return folder


def _speaks(target):
    """Its random weights say the unknown token whatever is asked; now they say words instead."""
    vocabulary = json.loads((target / "tokenizer.json").read_text())["model"]["vocab"]
    files = json.loads((target / stand_in_targets.INDEX).read_text())["weight_map"]
    (name,) = (name for name in files if name.endswith("lm_head.weight"))
    file = target / files[name]
    tensors = load_file(file)
    tensors[name][vocabulary["<unk>"]] *= -1
    file.unlink()  # a link to bytes that are named by their digest
    save_file(tensors, file, metadata={"format": "pt"})


@pytest.fixture
def paper(hub, tmp_path, monkeypatch):
    """A filled cache, a server, and room to write; few pictures are looked at."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(hub))
    monkeypatch.setattr(chance, "SIZE", 12)
    monkeypatch.setattr(scoring, "HELD_OUT", 4)
    monkeypatch.chdir(tmp_path)
    with stand_in.explainer() as url:
        for role in ("EXPLAINER", "JUDGE"):
            monkeypatch.setenv(f"LMMSCOPE_SERVERS__{role}__BASE_URL", url)
        yield tmp_path


@pytest.fixture
def prints(monkeypatch, capsys):
    """What a command's main prints when these words are typed."""

    def printed(main, *words):
        monkeypatch.setattr(sys, "argv", [main.__module__, *words])
        main()
        return capsys.readouterr().out

    return printed


@pytest.fixture
def types(prints):
    """The report that it prints."""
    return lambda main, *words: json.loads(prints(main, *words, "--json"))


@pytest.fixture
def refuses(monkeypatch):
    """The one line that a command ends with."""

    def refused(main, *words):
        monkeypatch.setattr(sys, "argv", [main.__module__, *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, str)
        assert "\n" not in ended.value.code
        return ended.value.code

    return refused


@pytest.fixture
def coder_for(paper, hub):
    """Puts a coder where a profile wants the one that is trained for it."""

    def put(profile, target=None):
        settings = load_settings(profile)
        folder = paper / settings.models.sae
        if target is None:
            (published,) = hub.glob("models--lmms-lab--llama3*sae*/snapshots/*")
            shutil.copytree(published, folder)
        else:
            folder.mkdir(parents=True)
            stand_in.write_coder(folder, target)
        (folder / "model.layers.24").rename(folder / f"model.{settings.data.hook}")

    return put
