"""What CHAIR needs of COCO: instances, people's captions, and pictures.

An object is there if it is among the instances or if one of the captions names it, as published.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.hallucination.chair import Depicted
from benchmarks.hallucination.mentions import Lexicon, listed, shipped
from benchmarks.hallucination.pictures import COCO, Album
from sae_core.errors import UserError

PICTURES = ("val2014", "images", "val2017")
SYNONYMS = "synonyms.txt"
ORIGIN = (
    "instances_val2014.json and captions_val2014.json (annotations_trainval2014.zip of the COCO "
    "data set), in it or in annotations/, beside val2014/ with the pictures"
)
NOTE = (
    "An object is there if it is among COCO's instances or in one of the captions that people "
    "wrote. {names} Plurals are taken off by rule, where the original has a tagger."
)
NAMES = (
    "Names of objects are our own list, so numbers differ a little from those with the published "
    f"one: put that into the folder as {SYNONYMS} to use it."
)


class Copy(NamedTuple):
    """Some pictures of a local copy, and how objects are called."""

    depicted: list[Depicted]
    lexicon: Lexicon
    notes: tuple[str, ...]


def copy_in(folder: Path, most: int, seed: int) -> Copy:
    """So many pictures by chance, of those that have instances and captions."""
    instances, captions = (_document(folder, kind) for kind in ("instances", "captions"))
    own = (folder / SYNONYMS).is_file()
    lexicon = listed(folder / SYNONYMS) if own else shipped()
    files = {image["id"]: image["file_name"] for image in instances["images"]}
    both = {one["image_id"] for one in instances["annotations"]} & {
        one["image_id"] for one in captions["annotations"]
    }
    known = sorted(both & files.keys())
    if not known:
        raise UserError(f"No picture of {folder} has instances and captions. Put {ORIGIN} there")
    order = np.random.default_rng((74, seed)).permutation(len(known))[:most]
    chosen = {known[at]: set[str]() for at in sorted(order.tolist())}
    _see(chosen, instances, captions, lexicon)
    album = Album(folder, PICTURES, COCO)
    depicted = [
        Depicted(album.picture(files[number]), frozenset(there)) for number, there in chosen.items()
    ]
    names = f"Names of objects are those of {SYNONYMS}." if own else NAMES
    return Copy(
        depicted, lexicon, (f"{len(known)} pictures in the copy.", NOTE.format(names=names))
    )


def _see(
    chosen: dict[int, set[str]],
    instances: dict[str, Any],
    captions: dict[str, Any],
    lexicon: Lexicon,
) -> None:
    """Put into each picture's set what is there."""
    categories = {}
    for one in instances["categories"]:
        if (thing := lexicon.object(one["name"])) is None:
            raise UserError(
                f"COCO's category {one['name']!r} is not in {SYNONYMS}. Add a line for it"
            )
        categories[one["id"]] = thing
    for one in instances["annotations"]:
        if one["image_id"] in chosen:
            chosen[one["image_id"]].add(categories[one["category_id"]])
    for one in captions["annotations"]:
        if one["image_id"] in chosen:
            chosen[one["image_id"]].update(lexicon.mentions(one["caption"]))


def _document(folder: Path, kind: str) -> dict[str, Any]:
    """The annotations of a kind, of one year."""
    found = [
        path
        for below in (".", "annotations")
        for path in (folder / below).glob(f"{kind}_val*.json")
    ]
    if not found:
        raise UserError(f"{folder} has no {kind}_val2014.json. Put {ORIGIN} there")
    path = sorted(found)[0]
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path} is no JSON: {error}. Unpack it again") from None
    wanted = ("annotations", *(("images", "categories") if kind == "instances" else ()))
    if not isinstance(document, dict) or not all(name in document for name in wanted):
        raise UserError(f"{path} has not all of {', '.join(wanted)}. Put {ORIGIN} there")
    return document
