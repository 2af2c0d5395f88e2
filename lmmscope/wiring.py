"""The one place that builds things from a profile.

It knows every package's constructors and nothing of what is done with the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lmmscope import hub
from lmmscope.alone import alone
from lmmscope.settings import Settings
from sae_core.errors import UserError

if TYPE_CHECKING:
    from sae_core.coders.coder import SparseCoder
    from sae_core.index.levels import Levels
    from sae_core.index.observer import Embed, LmmObserver, Observer, PictureSet
    from sae_core.index.query import Index
    from sae_core.lmm.adapter import Adapter
    from sae_core.training.activations import Conversation
    from tools.evidence import Split
    from tools.question_sets import QuestionSet

SHIPPED = "toybox:"


def model_folder(name: str) -> Path:
    """The folder that a model's name in a profile stands for: a path, `toybox:ROLE`, a hub's name.

    A hub's name that was never downloaded stays a name.
    """
    if not name.startswith(SHIPPED):
        path = Path(name).expanduser()
        here = path.exists() or not hub.is_model(name)
        return path if here else hub.snapshot(name) or path
    toybox = find_spec("toybox")
    if toybox is None or toybox.origin is None:
        raise UserError(
            f"{name!r} needs the package toybox, which is not installed. Try lmmscope doctor"
        )
    return Path(toybox.origin).parent / "weights" / name.removeprefix(SHIPPED)


def use_threads(settings: Settings) -> None:
    """Limit torch to the profile's number of CPU threads, where it gives one."""
    if settings.threads is not None:
        import torch

        torch.set_num_threads(settings.threads)


def mend_imports(settings: Settings) -> None:
    """Import what must come before transformers does: torchvision, where it does not fit torch."""
    if settings.models.text_encoder is not None:
        from tools.backends.grounded_sam import import_torchvision

        import_torchvision()


def device() -> str:
    """Where models run and large sums are done: a GPU, where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def target(settings: Settings) -> Adapter:
    """The target model, ready to be looked into."""
    from transformers import AutoModelForImageTextToText
    from transformers.utils import logging

    from sae_core.lmm.adapter import adapter_for
    from sae_core.lmm.processor import load_processor
    from sae_core.weights import check_model

    logging.disable_progress_bar()
    folder = check_model(model_folder(settings.models.target))
    packed = {} if settings.bits is None else _packed(settings)
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=settings.precision, **packed)
    # A packed model is where it has to be, and can't be moved.
    model = model if packed else model.to(device())
    return adapter_for(model, load_processor(folder))


def _packed(settings: Settings) -> dict[str, Any]:
    """What loads a model in fewer bits a weight; it computes in the profile's precision."""
    if missing := [name for name in ("bitsandbytes", "accelerate") if find_spec(name) is None]:
        raise UserError(
            f"bits = {settings.bits} needs {' and '.join(missing)}. "
            "Try pip install 'lmmscope[quantised]'"
        )
    import torch
    from transformers import BitsAndBytesConfig

    dtype = getattr(torch, settings.precision)
    config = BitsAndBytesConfig(
        load_in_4bit=settings.bits == 4,
        load_in_8bit=settings.bits == 8,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
    )
    return {"quantization_config": config, "device_map": {"": device()}}


def target_name(settings: Settings) -> str:
    """What the target is called in all that is kept of it.

    Trained on in its folder it is another model, and so it is in fewer bits. A shipped one has its
    name alone: its weights are as old as its code.
    """
    from sae_core.weights import fingerprint

    name = settings.models.target
    folder = model_folder(name)
    if not name.startswith(SHIPPED) and folder.is_dir():
        known_as = name if hub.is_model(name) else folder.name
        name = f"{known_as} {fingerprint(folder)[:16]}"
    if settings.bits is not None:
        return f"{name} in {settings.bits} bits"
    return name if settings.precision == "float32" else f"{name} in {settings.precision}"


def conversations(
    settings: Settings, source: str | None, count: int | None = None
) -> Sequence[Conversation]:
    """A data set: `toybox:SPLIT`, a .jsonl file in chat format, Parquet with turns, or pictures."""
    if source is None:
        raise UserError("This profile names no data set. Try --data FOLDER, or data.train in it")
    if source.startswith(SHIPPED):
        from toybox.conversations import ToyboxConversations
        from toybox.world_splits import split

        name = source.removeprefix(SHIPPED)
        return ToyboxConversations(name, min(count or split(name).size, split(name).size))
    from sae_core.pictures.stored import source_of
    from sae_core.training.conversations import ChatFile, Shown

    place = source_of(source).place
    if place.endswith(".jsonl"):
        return ChatFile(Path(place).expanduser(), count)
    if tables := _tables_of_turns(hub.data_path(place)):
        from sae_core.training.chat_rows import ChatRows

        return ChatRows(tables, count)
    return Shown(pictures(settings, source, count))


def _tables_of_turns(where: Path) -> list[Path]:
    """The Parquet files of a data set, if they hold turns beside pictures."""
    from sae_core.pictures.shards import shards_at
    from sae_core.pictures.tables import Table
    from sae_core.training.chat_rows import TURNS

    shards = shards_at(where)
    tables = [shard for shard in shards if isinstance(shard, Table)]
    told = len(tables) == len(shards) and set(TURNS) & set(tables[0].columns())
    return [table.path for table in tables] if told else []


def coder(settings: Settings, given: str | None = None) -> SparseCoder:
    """The profile's sparse coder, or the one given instead."""
    from sae_core.formats.store import load_coder

    name = given or settings.models.sae
    if name is None:
        raise UserError(f"Profile {settings.name!r} names no SAE. Try --sae FOLDER")
    folder = model_folder(name)
    if hub.is_model(name) and not folder.exists():
        raise UserError(f"{name} is not here. Try {hub.model_download(name)}")
    return load_coder(folder).float()


def pictures(settings: Settings, source: str | None, count: int | None = None) -> PictureSet:
    """A numbered set of pictures: `toybox:SPLIT`, `hub:NAME`, a folder, tars or Parquet files."""
    if source is None:
        raise UserError("This profile names no pictures. Try --data FOLDER, or data.explore in it")
    if source.startswith(SHIPPED):
        from toybox.numbered import ToyboxPictures
        from toybox.world_splits import split

        name = source.removeprefix(SHIPPED)
        return ToyboxPictures(name, min(count or split(name).size, split(name).size))
    from lmmscope.index_view import left_out, numbering
    from sae_core.pictures.stored import StoredPictures, source_of

    place, share = source_of(source)
    return StoredPictures(
        hub.data_path(place), settings.runs / "pictures", count, share,
        side=settings.data.side, tell=numbering(place), made=left_out(place),
    )  # fmt: skip


def splits(settings: Settings) -> dict[Split, PictureSet]:
    """The numbered set of each split that the profile names pictures for."""
    data = settings.data
    few = min(filter(None, (data.validation_pictures, data.held_out_pictures)), default=None)
    named: dict[Split, tuple[str | None, int | None]] = {
        "explore": (data.explore, data.explore_pictures),
        "validate": (data.validation, few),
        "test": (data.test, data.held_out_pictures),
    }
    return {
        split: pictures(settings, source, count)
        for split, (source, count) in named.items()
        if source is not None
    }


def questions(source: str) -> QuestionSet:
    """Questions with right answers: `toybox:validate`, `toybox:test`, or a .jsonl file."""
    if source.startswith(SHIPPED):
        from toybox.questions_set import ToyboxQuestions

        return ToyboxQuestions(source.removeprefix(SHIPPED))
    from tools.question_sets import QuestionFile

    return QuestionFile(Path(source).expanduser())


def observer(settings: Settings, sae: str | None = None) -> LmmObserver:
    """The profile's coder on its target."""
    from sae_core.index.observer import LmmObserver

    adapter, found = target(settings), coder(settings, sae)
    hook = found.config.hook or settings.data.hook
    return LmmObserver(adapter, found.to(adapter.model.device), hook, target_name(settings))


def strong(
    settings: Settings, graded: LmmObserver, shown: PictureSet, known: Path | None = None
) -> Observer:
    """The observer with the profile's levels: those in a folder, or measured once on pictures."""
    from sae_core.index.levels import FILE, StrongObserver, measured, write_levels
    from sae_core.index.observer import source_of

    share = settings.data.firing
    if not share:
        return graded
    if known is not None and (known / FILE).exists():
        return StrongObserver(graded, levels_in(known, share))
    asked = f"{graded.digest} {graded.model} {graded.hook} {shown.digest} {len(shown)} {share}"
    folder = settings.runs / "levels" / sha256(asked.encode()).hexdigest()[:16]
    if not (folder / FILE).exists():
        with alone(folder, settings.runs):
            if not (folder / FILE).exists():
                seen = source_of(graded, shown, settings.batch)
                write_levels(measured(seen, len(shown), graded.features, share), folder / FILE)
    return StrongObserver(graded, levels_in(folder, share))


def levels_in(folder: Path, share: float) -> Levels:
    """The levels beside an index, if they were measured for this share."""
    from sae_core.index.levels import FILE, read_levels

    found = read_levels(folder / FILE)
    if found.share != share:
        raise UserError(
            f"The levels in {folder} are {found.share:g} of what features reach, data.firing is "
            f"{share:g}. Set it to {found.share:g}, or try lmmscope index build"
        )
    return found


def embedder(settings: Settings) -> Embed:
    """The profile's CLIP as a function from pictures to embeddings."""
    from tools.backends.clip import Clip

    return Clip.load(model_folder(settings.models.clip), device()).of_pictures


def planted(seed: int) -> Observer:
    """Features that fire where the toybox's renderer says so."""
    from toybox.planted import PlantedObserver

    return PlantedObserver(seed)


def index(settings: Settings, given: Path | None = None) -> Index:
    """The feature index given; else the profile's on its explore pictures."""
    from sae_core.index.query import Index

    if given is not None:
        return Index.open(given)
    if settings.data.index is None:
        raise UserError(f"Profile {settings.name!r} names no index. Try --index FOLDER")
    return index_in(settings, model_folder(settings.data.index))


def index_in(settings: Settings, folder: Path) -> Index:
    """An index, refused if it is not of the profile's coder, target and levels.

    The levels lie beside the explore pictures' index. The target need not be loaded, nor be here:
    then nobody can say whether it is the one, and whoever loads it later will.
    """
    from sae_core.index.observer import coder_digest
    from sae_core.index.query import Index

    found, share, beside = coder(settings), settings.data.firing, settings.data.index or ""
    return Index.open(
        folder,
        coder=coder_digest(found),
        model=target_name(settings) if model_folder(settings.models.target).is_dir() else None,
        hook=found.config.hook or settings.data.hook,
        levels=levels_in(model_folder(beside), share).digest if share else "",
    )
