"""The tool load_sae: find a sparse coder by its name, in any known format, and say what it is.

Knows what is told; where coders are is `tools.coder_folders`' knowledge, what they hold sae_core's.
"""

from __future__ import annotations

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.errors import UserError
from sae_core.formats.store import describe, load_coder
from sae_core.index.observer import coder_digest
from sae_core.lmm.fit import check_fits
from tools.coder_folders import Part, Source, coder_folder
from tools.lab import Lab
from tools.tool import Arguments, Result, tool


class LoadSaeArguments(Arguments):
    """Which coder."""

    source: Source
    """A name of the profile's or of train_sae's, or organisation/name on the Hugging Face hub."""
    part: Part | None = None
    """Where there are several coders: which, for example layers.24."""
    hook: str | None = None
    """The layer that it is meant for, where it does not say so itself."""


class LoadSaeResult(Result):
    """What the coder is, and whether it belongs to the target."""

    digest: str
    """What names it: of its config and weights."""
    format: str
    """The library that wrote it."""
    config: CoderConfig
    """Width, features, rule, k, hook and more."""
    shapes: dict[str, tuple[int, ...]]
    dtype: str
    size: int
    """Of its weights, in bytes."""
    fits: bool
    """It can be used on this target."""
    misfit: str
    """Why not; nothing where it fits."""


@tool("Find a sparse autoencoder by name and say what it is and whether it fits the target", "long")
def load_sae(lab: Lab, args: LoadSaeArguments) -> LoadSaeResult:
    """Read it once, since only its weights tell its digest."""
    folder = coder_folder(lab, args.source, args.part)
    facts, coder = describe(folder), load_coder(folder)
    misfit = _misfit(lab, coder, args.hook or coder.config.hook)
    return LoadSaeResult(
        digest=coder_digest(coder),
        format=facts.format,
        config=facts.config,
        shapes=facts.shapes,
        dtype=facts.dtype,
        size=facts.size,
        fits=not misfit,
        misfit=misfit,
    )


def _misfit(lab: Lab, coder: SparseCoder, hook: str) -> str:
    if not hook:
        return "It does not say which layer it was trained on. Give hook, for example layers.24"
    try:
        check_fits(lab.target, coder, hook)
    except UserError as error:
        return str(error)
    return ""
