"""What a profile will take: memory, disk and time, worked out before anything is loaded.

Every number says what it rests on: `read` from files that are here, `published` by the profile.
Times are for a share of what the accelerator could do at best, so they are estimates.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from lmmscope import hub
from lmmscope.doctor_checks import Check
from lmmscope.doctor_data import KEYS, trains
from lmmscope.doctor_models import CHECKPOINTS
from lmmscope.doctor_sizes import Known, Shape, shape_of, size_of
from lmmscope.settings import Settings
from lmmscope.wiring import model_folder

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
OURS = ("target", "sae", "clip", "grounder", "segmenter", "text_encoder")
"""Roles whose models are loaded into this process, whoever serves the others."""
SERVED = ("explainer", "judge", "describer")
SPARE = 1.2
"""What a server needs for each byte of weights: the rest is what it keeps of running requests."""
PREACTIVATIONS = 2 * 4 * (1 << 29)
"""Bytes that a coder's pre-activations take on a GPU while the largest are picked."""
KEPT = 64
"""Pictures that an index keeps of each feature, at most."""
PEAKS = {
    "H200": 989, "H100": 989, "A100": 312, "L40S": 362, "L4": 121, "A10": 125,
    "RTX 4090": 165, "RTX 3090": 71, "V100": 125,
}  # fmt: skip
"""TFLOP/s of dense 16-bit products, as their maker says; the first name that fits counts."""
USUAL = "A100"
REACHED = 0.4
"""Of its peak, what a model in transformers usually gets out of an accelerator."""


class Need(NamedTuple):
    """What a part takes."""

    name: str
    gigabytes: float
    source: str


def examine(settings: Settings, running: Collection[str] = ()) -> list[Check]:
    """Memory, disk and time; the models of roles whose servers are running are somewhere."""
    return [
        _memory(settings),
        *_servers(settings),
        _downloads(settings, running),
        *_index(settings),
    ]


def _memory(settings: Settings) -> Check:
    """Of the process that holds the target."""
    needs = [need for role in OURS if (need := _weights(settings, role)) is not None]
    needs += _local(settings)
    shape, known = shape_of(settings), settings.published.models.get("target")
    if shape is not None and known is not None and known.tokens:
        needs.append(_working(settings, shape, known.tokens))
    total = sum(need.gigabytes for need in needs)
    found = f"about {_amount(total)} GB: {_listed(needs)}"
    room = _gpu_memory()
    if room is None or total < room:
        there = f"; this one has {room:.0f} GB" if room else ""
        return Check.ok("plan", "GPU memory", found + there)
    smaller = "Try batch = 4 and bits = 4 in the profile"
    return Check.note("plan", "GPU memory", f"{found}; this one has {room:.0f} GB. {smaller}")


def _weights(settings: Settings, role: str) -> Need | None:
    name = getattr(settings.models, role)
    if name is None:
        return None
    if settings.models.text_encoder is not None and role in CHECKPOINTS:
        path = Path(name).expanduser()
        return Need(role, path.stat().st_size / 1e9, "read") if path.is_file() else None
    known = size_of(settings, role)
    each = bytes_of_target(settings) if role == "target" else 4
    return None if known is None else Need(role, known.parameters * each / 1e9, known.source)


def bytes_of_target(settings: Settings) -> float:
    """A packed weight has its scale beside it, and embeddings are not packed."""
    whole = BYTES[settings.precision]
    return whole if settings.bits is None else min(whole, settings.bits / 8 + 0.2)


def _local(settings: Settings) -> list[Need]:
    """Models that answer in this process, since no server does; the same model once."""
    served = settings.servers.given()
    names = {
        name: role
        for role in reversed(SERVED)
        if role not in served and (name := getattr(settings.models, role)) is not None
    }
    found = ((role, size_of(settings, role)) for role in names.values())
    return [Need(role, k.parameters * 4 / 1e9, k.source) for role, k in found if k is not None]


def _working(settings: Settings, shape: Shape, tokens: int) -> Need:
    """The widest moment of a batch: three feed-forward products beside what a block holds."""
    wide = 3 * shape.inner + 8 * shape.width
    held = settings.batch * tokens * wide * BYTES[settings.precision]
    return Need("work", (held + PREACTIVATIONS) / 1e9, f"batches of {settings.batch}")


def _servers(settings: Settings) -> list[Check]:
    """Of the machines that serve; one server for several roles counts once."""
    seen: dict[str, str] = {}
    for role, url in settings.servers.given().items():
        seen.setdefault(url, role)
    return [
        Check.ok("plan", f"{role}'s server", _served(settings, role, known))
        for role in seen.values()
        if role in SERVED and (known := size_of(settings, role)) is not None
    ]


def _served(settings: Settings, role: str, known: Known) -> str:
    published = settings.published.models.get(role)
    weights = published.gigabytes if published else known.parameters * 2 / 1e9
    name, replicas = getattr(settings.models, role), getattr(settings.servers, role).replicas
    each = f" for each of {len(replicas) + 1} replicas" if replicas else ""
    return (
        f"{name}: {weights:.1f} GB of weights ({known.source}), so GPUs with "
        f"{weights * SPARE:.0f} GB together{each}"
    )


def _downloads(settings: Settings, running: Collection[str]) -> Check:
    """What has still to come, against the room there is."""
    needs = [*_missing_models(settings, running), *_missing_data(settings)]
    if not needs:
        return Check.ok("plan", "download", "nothing")
    from huggingface_hub.constants import HF_HUB_CACHE

    total = sum(need.gigabytes for need in needs)
    free = shutil.disk_usage(_nearest(Path(HF_HUB_CACHE))).free / 1e9
    found = f"{total:.1f} GB: {_listed(needs)}; {free:.0f} GB are free at {HF_HUB_CACHE}"
    if total < free:
        return Check.ok("plan", "download", found)
    fix = "HF_HUB_CACHE=/A/LARGER/DISK, set for every command"
    return Check.note("plan", "download", found, fix)


def _missing_models(settings: Settings, running: Collection[str]) -> Iterable[Need]:
    told: set[str] = set()
    for role, size in settings.published.models.items():
        name = getattr(settings.models, role, None)
        if name is None or name in told or role in running:
            continue
        if not hub.is_model(name) or model_folder(name).exists():
            continue
        told.add(name)
        yield Need(role, size.gigabytes, "published")


def _missing_data(settings: Settings) -> Iterable[Need]:
    told: set[str] = set()
    for key in KEYS:
        amount, source = settings.published.data.get(key), getattr(settings.data, key)
        if amount is None or source is None or (key == "train" and not trains(settings)):
            continue
        found = hub.data_set(source.partition("#")[0])
        if found is None or source.partition("#")[0] in told:
            continue
        told.add(source.partition("#")[0])
        if hub.snapshot(found.repository, "dataset") is None:
            yield Need(key, amount.gigabytes, "published")


def _index(settings: Settings) -> list[Check]:
    """The one pass over the pictures: how long, and how much it leaves on disk."""
    known, shape = settings.published.models.get("target"), shape_of(settings)
    size, sae = size_of(settings, "target"), size_of(settings, "sae")
    coder = settings.coder
    if known is None or shape is None or size is None or sae is None:
        return []
    if not (known.tokens and known.cells):
        return []
    pictures = {key: _pictures(settings, key) for key in ("explore", "test")}
    layer = int(settings.data.hook.rpartition(".")[2]) + 1
    through = 2 * size.parameters * layer / shape.layers * known.tokens
    coded = sae.parameters * known.cells
    name, peak = accelerator()
    seconds = (through + coded) / (peak * 1e12 * REACHED)
    times = [f"{key} {lasting(n * seconds)} for {n:,}" for key, n in pictures.items() if n]
    rest = f"at {REACHED:.0%} of {peak} TFLOP/s ({name}); an estimate"
    checks = [Check.ok("plan", "index", f"{', '.join(times)} pictures {rest}")] if times else []
    if coder is not None and pictures["explore"]:
        most = _index_size(coder.features, coder.k, pictures["explore"], known.cells)
        found = f"the index at most {most:.1f} GB, in {settings.runs.absolute()}"
        checks.append(Check.ok("plan", "disk", found))
    return checks


def _pictures(settings: Settings, key: str) -> int:
    """How many of a data set will be looked at, as far as the profile says."""
    if getattr(settings.data, key) is None:
        return 0
    most = settings.data.explore_pictures if key == "explore" else settings.data.held_out_pictures
    amount = settings.published.data.get(key)
    there = [n for n in (most, amount.pictures if amount else None) if n is not None]
    return min(there, default=0)


def _index_size(features: int, k: int, pictures: int, cells: int) -> float:
    """Kept pictures of each feature with their lit cells, and a histogram; in 10^9 bytes."""
    pairs = features * min(KEPT, pictures)
    lit = min(pairs * cells, pictures * cells * k)
    return (pairs * 28 + lit * 6 + features * 700) / 1e9


def accelerator() -> tuple[str, int]:
    """The GPU here with its peak; without one, or with one unknown, a usual one."""
    import torch

    if torch.cuda.is_available():
        here = torch.cuda.get_device_name(0)
        for name, peak in PEAKS.items():
            if name in here:
                return here, peak
    return f"as of an {USUAL}", PEAKS[USUAL]


def _gpu_memory() -> float | None:
    import torch

    if not torch.cuda.is_available():
        return None
    return torch.cuda.get_device_properties(0).total_memory / 1e9


def lasting(seconds: float) -> str:
    """In the unit that people would say it in."""
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{max(seconds / 60, 0.1):.1f} min"


def _listed(needs: Iterable[Need]) -> str:
    return ", ".join(f"{one.name} {_amount(one.gigabytes)} ({one.source})" for one in needs)


def _amount(gigabytes: float) -> str:
    return f"{gigabytes:.1f}" if gigabytes >= 0.1 else f"{gigabytes:.2g}"


def _nearest(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
