"""Where coders are: in the profile's folders, among those trained here, or on the hub.

Knows names and folders; nothing of what is in them. A name is never a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints

from tools.failures import TryAgain, WontWork
from tools.lab import Lab

_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
Name = Annotated[str, StringConstraints(pattern=rf"^{_WORD}$")]
"""What a coder is called."""
Part = Annotated[str, StringConstraints(pattern=rf"^{_WORD}(/{_WORD}){{0,3}}$")]
"""Which of a collection of coders; none of its words can lead out of the collection."""
Source = Annotated[str, StringConstraints(pattern=rf"^{_WORD}(/{_WORD})?$")]
"""A name, or an organisation's and a repository's on the hub."""
CONFIGS, FILES = ("*.json",), ("*.json", "*.safetensors", "*.pt")


def trained_folder(lab: Lab, name: str) -> Path:
    """Where a coder is trained, whether it is there yet or not."""
    return lab.runs / "saes" / name


def coder_folder(lab: Lab, source: str, part: str | None = None) -> Path:
    """The folder of a coder; the hub is asked if nothing here has that name."""
    if source in lab.saes:
        folder = lab.saes[source]
    elif "/" in source:
        folder = _fetched(source, part)
    elif trained_folder(lab, source).is_dir():
        folder = trained_folder(lab, source)
    else:
        known = sorted({*lab.saes, *_trained(lab)})
        raise WontWork(
            f"There is no coder {source!r}. Known: {', '.join(known) or 'none'}; or give its "
            "organisation and name on the Hugging Face hub"
        )
    if part is None:
        return folder
    if not (folder / part).is_dir():
        raise WontWork(f"{source} has no part {part!r}. Leave part out to hear which there are")
    return folder / part


def _trained(lab: Lab) -> list[str]:
    folder = trained_folder(lab, "")
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def _fetched(source: str, part: str | None) -> Path:
    """From the local cache, or into it; of several coders only the one that is named."""
    if part is not None:
        return _snapshot(source, [f"{part}/{file}" for file in FILES])
    # A collection can be a hundred times as large as one coder, so first a look at what there is.
    folder = _snapshot(source, CONFIGS)
    inside = {path.relative_to(folder).parent for path in folder.rglob("*.json")}
    parts = sorted(str(one) for one in inside if one.parts)
    if len(parts) > 1:
        raise WontWork(f"{source} holds several coders. Give part: {', '.join(parts)}")
    return _snapshot(source, FILES)


def _snapshot(source: str, patterns: Sequence[str]) -> Path:
    """The folder with the files of a hub's repository that fit these patterns."""
    # A second to import, and needed by few.
    import httpx2
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        return Path(snapshot_download(source, allow_patterns=list(patterns)))
    except LocalEntryNotFoundError:
        if constants.is_offline_mode():
            raise WontWork(
                f"{source} is not in the local cache, and HF_HUB_OFFLINE forbids to fetch it"
            ) from None
        raise TryAgain(f"{source} is not in the local cache, and the hub does not answer") from None
    except (RepositoryNotFoundError, HFValidationError):
        raise WontWork(
            f"The Hugging Face hub shows no {source}. If it is gated, try hf auth login"
        ) from None
    except (HfHubHTTPError, httpx2.TransportError) as error:
        raise TryAgain(f"{source} can't be fetched from the hub: {error}") from None
