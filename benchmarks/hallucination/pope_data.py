"""POPE as it is published: a JSON-lines file a category beside COCO's pictures, or Parquet.

{"question_id": 1, "image": "COCO_val2014_000000310196.jpg",
 "text": "Is there a snowboard in the image?", "label": "yes"}
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmarks.hallucination.pictures import COCO, Album, Cells, Picture, tables_in
from benchmarks.hallucination.pope import CATEGORIES, Probe
from sae_core.errors import UserError
from sae_core.pictures.tables import Rows

PICTURES = ("val2014", "images", "coco/val2014")
COLUMNS = ("category", "question_id", "image_source", "question", "answer")
ORIGIN = (
    "coco_pope_random.json, coco_pope_popular.json and coco_pope_adversarial.json (output/coco in "
    "the repository RUCAIBox/POPE) beside val2014/ with COCO's pictures, or the Parquet files of "
    "lmms-lab/POPE"
)


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    image: str = Field(min_length=1)
    text: str = Field(min_length=1)
    label: str


def probes_in(folder: Path) -> list[Probe]:
    """All questions of a local copy."""
    found = {name: sorted(folder.rglob(f"*pope_{name}.json*")) for name in CATEGORIES}
    if not any(found.values()) and (tables := tables_in(folder)):
        return _tabled(tables)
    if missing := [name for name, paths in found.items() if not paths]:
        raise UserError(
            f"{folder} has no {' and no '.join(missing)} questions of POPE. Put {ORIGIN} there"
        )
    album = Album(folder, PICTURES, COCO)
    return [probe for name, paths in found.items() for probe in _lines(name, paths[0], album)]


def _lines(category: str, path: Path, album: Album) -> list[Probe]:
    probes = []
    for at, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = _Line.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            raise UserError(
                f"{path}, line {at}: {'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}. "
                "POPE's lines have question_id, image, text and label"
            ) from None
        there = _yes(line.label, f"{path}, line {at}")
        probes.append(Probe(category, line.image, album.picture(line.image), line.text, there))
    return probes


def _tabled(tables: list[Path]) -> list[Probe]:
    """The hub's copy has all questions twice: in one split, and in one for each category."""
    probes: dict[tuple[str, str], Probe] = {}
    pictures: dict[str, Picture] = {}
    for path in tables:
        rows, cells = Rows(path, *((name,) for name in COLUMNS)), Cells(path)
        for at in range(len(rows)):
            category, number, source, question, answer = map(str, rows.row(at))
            picture = pictures.setdefault(source, cells.picture(at))
            there = _yes(answer, f"{path}, row {at}")
            probe = Probe(category.lower(), source, picture, question, there)
            probes.setdefault((probe.category, number), probe)
    return list(probes.values())


def _yes(label: str, where: str) -> bool:
    said = label.strip().lower()
    if said not in ("yes", "no"):
        raise UserError(f"{where}: the answer is {label!r}, not yes or no. Download the file again")
    return said == "yes"
