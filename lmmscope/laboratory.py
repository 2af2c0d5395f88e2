"""Builds the lab that tools work in from a profile: each part when it is first needed.

Knows the constructors; nothing of what tools do. An index that is missing is built once, under the
profile's runs folder, and found again by what it was built from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

from lmmscope import wiring
from lmmscope.alone import alone
from lmmscope.doctor_servers import served_models
from lmmscope.index_view import counted
from lmmscope.settings import Settings
from lmmscope.shelf import Shelf
from sae_core.errors import UserError
from sae_core.index.arrays import HEAD
from sae_core.index.levels import levels_of
from sae_core.index.lit import build_with_lit
from sae_core.index.observer import Observer, PictureSet, source_of, spec_of
from sae_core.index.query import Index
from sae_core.index.spec import IndexSpec
from tools.backends.budget import Budget, Limits
from tools.backends.cache import ReplyCache
from tools.backends.chat import ChatModel
from tools.backends.config import ServerConfig, Tariff
from tools.backends.ledger import Ledger, MemoryLedger
from tools.backends.metered import MeteredChat
from tools.backends.roles import Grounder, PictureEditor, PictureText
from tools.backends.server import ServerChat
from tools.evidence import Split
from tools.lab import Lab, Makers
from tools.labels import Labels
from tools.question_sets import QuestionSet

COUNTED = ("explainer", "judge", "describer", "planner")
"""Who is asked within a budget."""
HELD_OUT = 64
"""Pictures by chance that the indexes keep of each feature, where it is verified."""
Around = Callable[[str, Callable[[], ChatModel]], ChatModel]
"""Makes the model for a role, from a way to make the profile's own."""


def lab(
    settings: Settings,
    ledger: Ledger,
    budget: Budget,
    *,
    planted_seed: int | None = None,
    sae: str | None = None,
    around: Around = lambda _, make: make(),
    labels: Labels | None = None,
    shelf: Shelf | None = None,
) -> Lab:
    """The profile's lab; on planted toybox features where a seed is given.

    `around` may put something around each model that is asked, or in its place. What is on the
    shelf is not loaded again: one shelf serves labs of the same profile and features.
    """
    _check_prices(settings, budget.limits)
    pictures, servers, kept = wiring.splits(settings), AsyncExitStack(), shelf or Shelf()

    def observer() -> Observer:
        return kept.once("observer", seen)

    def seen() -> Observer:
        if planted_seed is not None:
            return wiring.planted(planted_seed)
        graded = wiring.observer(settings, sae)
        known = None if sae or not settings.data.index else wiring.model_folder(settings.data.index)
        return wiring.strong(settings, graded, pictures["explore"], known)

    replies = replies_of(settings)

    def chat(role: str) -> ChatModel:
        return around(
            role,
            lambda: MeteredChat(
                _chat(settings, role, servers, kept),
                ledger,
                budget,
                tariff=server.tariff if (server := _asks(settings, role).server) else None,
                cache=replies,
            ),
        )

    def index(split: Split) -> Index:
        shipped = shipped_index(settings, pictures[split], split, planted_seed, sae)
        return shipped or _kept_index(settings, observer(), pictures[split], split)

    makers = Makers(
        observer=observer,
        index=lambda split: kept.once(f"index {split}", lambda: index(split)),
        explainer=partial(chat, "explainer"),
        judge=partial(chat, "judge"),
        grounder=partial(kept.once, "grounder", partial(_grounder, settings)),
        clip=partial(kept.once, "clip", partial(_clip, settings)),
        describer=partial(chat, "describer"),
        editor=partial(_editor, settings, servers) if _edits(settings) else None,
        target=partial(kept.once, "target", partial(wiring.target, settings)),
        lessons=partial(wiring.conversations, settings, settings.data.train),
        close=servers.aclose,
    )
    return Lab(
        makers,
        pictures,
        settings.runs,
        saes=_saes(settings),
        labels=labels,
        questions=_questions(settings),
        looks=None if settings.data.looks is None else wiring.model_folder(settings.data.looks),
    )


def replies_of(settings: Settings) -> ReplyCache:
    """What models have said to these runs."""
    return ReplyCache(settings.runs / "cache" / "replies")


def lab_alone(
    settings: Settings,
    limits: Limits | None = None,
    *,
    planted_seed: int | None = None,
    sae: str | None = None,
    shelf: Shelf | None = None,
) -> Lab:
    """The lab of whoever is no run: its costs are kept nowhere, labels are what runs found out."""
    from agent.store import FoundOut

    made = lab(
        settings,
        MemoryLedger(),
        Budget(limits),
        planted_seed=planted_seed,
        sae=sae,
        labels=FoundOut(settings.runs, lambda: made.observer.digest),
        shelf=shelf,
    )
    return made


def _questions(settings: Settings) -> dict[Split, QuestionSet]:
    data = settings.data
    named: dict[Split, str | None] = {"validate": data.questions, "test": data.questions_test}
    return {
        split: wiring.questions(source) for split, source in named.items() if source is not None
    }


def _shipped(settings: Settings, split: Split) -> str | None:
    """The index that the profile names for a split; levels lie beside that of explore."""
    if settings.data.index is None:
        return None
    return {"explore": settings.data.index, "test": settings.data.test_index}.get(split)


def shipped_index(
    settings: Settings,
    pictures: PictureSet,
    split: Split,
    planted_seed: int | None,
    sae: str | None,
) -> Index | None:
    """The index that the profile names, if it is one of these features on these pictures."""
    name = None if sae or planted_seed is not None else _shipped(settings, split)
    if name is None:
        return None
    found = wiring.index_in(settings, wiring.model_folder(name))
    return found if found.spec.pictures == pictures.digest else None


def index_spec(observer: Observer, pictures: PictureSet, split: Split, **sizes: int) -> IndexSpec:
    """What the index of a split is built from; of held-out pictures it keeps more by chance."""
    usual = {} if split == "explore" else {"sample": HELD_OUT}
    return spec_of(observer, pictures, levels=levels_of(observer), **{**usual, **sizes})


def _kept_index(
    settings: Settings, observer: Observer, pictures: PictureSet, split: Split
) -> Index:
    """The index of these features on these pictures, built if it is not there yet."""
    spec = index_spec(observer, pictures, split)
    path = kept_at(settings, spec, split)
    if not (path / HEAD).exists():
        with alone(path, settings.runs):
            if not (path / HEAD).exists():
                found = source_of(observer, pictures, settings.batch)
                with counted(found, range(len(pictures))) as source:
                    build_with_lit(path, spec, source)
    return Index.open(path, coder=observer.digest, model=observer.model, hook=observer.hook)


def kept_at(settings: Settings, spec: IndexSpec, split: Split) -> Path:
    """Where runs look for an index, by what it is built from."""
    name = hashlib.sha256(spec.model_dump_json().encode()).hexdigest()[:16]
    return settings.runs / "indexes" / f"{split}-{name}"


class _Asks(NamedTuple):
    """Who is asked: the server, else the model of this name."""

    server: ServerConfig | None
    name: str | None


def _asks(settings: Settings, role: str) -> _Asks:
    found = _Asks(getattr(settings.servers, role), getattr(settings.models, role))
    if role == "describer" and found == (None, None):
        # A large target is not loaded a second time where a server can say the same.
        return _Asks(settings.servers.explainer, settings.models.target)
    return found


def _check_prices(settings: Settings, limits: Limits) -> None:
    """A limit on what nobody counts would hold nothing back."""
    servers = [getattr(settings.servers, role) for role in COUNTED]
    if limits.money is None or any(one and one.tariff != Tariff() for one in servers):
        return
    raise UserError(
        f"A limit of {limits.money:g} on money needs prices, and no server of the profile "
        f"{settings.name!r} has one. Set servers.explainer.tariff.per_million_in and "
        "per_million_out in it, or try --tokens"
    )


def _chat(settings: Settings, role: str, servers: AsyncExitStack, kept: Shelf) -> ChatModel:
    server, name = _asks(settings, role)
    if server is not None:
        chat = ServerChat(named(server))
        servers.push_async_exit(chat)
        return chat
    if name is None:
        raise UserError(f"Profile {settings.name!r} names no {role}. Set models.{role} in it")
    from tools.backends.llava import load_llava

    return kept.once(f"chat {name}", lambda: load_llava(wiring.model_folder(name), name=name))


def named(server: ServerConfig) -> ServerConfig:
    """The server with the name of its model: the profile's, or the only one that it lists.

    Replicas have to agree; one that does not answer yet is asked when it does.
    """
    if server.model and not server.replicas:
        return server
    listed, fault = _listed(server)
    if server.model:
        lacking = [url for url, names in listed.items() if server.model not in names]
        if 0 < len(lacking) < len(listed):
            raise _disagreement(listed, lacking[0])
        return server
    if not listed:
        raise UserError(
            f"{', '.join(server.addresses)} does not say which models it serves: {fault}. "
            "Try lmmscope doctor"
        )
    for url, names in listed.items():
        if len(names) != 1:
            several = f"{len(names)} models ({', '.join(names[:3])}, ...)" if names else "no model"
            raise UserError(f"{url} lists {several}. Set model beside base_url under [servers]")
        if names != next(iter(listed.values())):
            raise _disagreement(listed, url)
    return server.model_copy(update={"model": next(iter(listed.values()))[0]})


class _Listed(NamedTuple):
    """The models that each address lists, and what is wrong with one that lists none."""

    models: dict[str, list[str]]
    fault: Exception | None


def _listed(server: ServerConfig) -> _Listed:
    found, fault = {}, None
    for url in server.addresses:
        try:
            found[url] = served_models(f"{url}/v1/models")
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            fault = error
    return _Listed(found, fault)


def _disagreement(listed: dict[str, list[str]], url: str) -> UserError:
    told = "; ".join(f"{one} {', '.join(names[:3]) or 'none'}" for one, names in listed.items())
    return UserError(
        f"{url} serves another model than its replicas: {told}. Take it out of base_url, or start "
        "the same model there"
    )


def _grounder(settings: Settings) -> Grounder:
    """A text-to-mask model, or a detector of boxes with a segmenter."""
    from tools.backends import clipseg, grounded_sam, grounding_dino

    names, device = settings.models, wiring.device()
    folder = wiring.model_folder(names.grounder)
    if names.segmenter is None:
        return clipseg.ClipSeg.load(folder, device)
    segmenter = wiring.model_folder(names.segmenter)
    if names.text_encoder is None:
        return grounding_dino.load(folder, segmenter, device)
    encoder = wiring.model_folder(names.text_encoder)
    return grounded_sam.load(folder, encoder, segmenter, device=device)


def _clip(settings: Settings) -> PictureText:
    from tools.backends.clip import Clip

    return Clip.load(wiring.model_folder(settings.models.clip), wiring.device())


def _edits(settings: Settings) -> bool:
    """Whether anything edits pictures: a server, or the toybox's own renderer."""
    shown = settings.data.explore or ""
    return settings.servers.editor is not None or shown.startswith(wiring.SHIPPED)


def _editor(settings: Settings, servers: AsyncExitStack) -> PictureEditor:
    if settings.servers.editor is not None:
        from tools.backends.image_edit import ServerEditor

        editor = ServerEditor(named(settings.servers.editor))
        servers.push_async_exit(editor)
        return editor
    from toybox.editing import SceneEditor

    return SceneEditor()


def _saes(settings: Settings) -> dict[str, Path]:
    name = settings.models.sae
    return {} if name is None else {"sae": wiring.model_folder(name)}
