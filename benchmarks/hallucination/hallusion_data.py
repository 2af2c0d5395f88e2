"""HallusionBench as it is published: HallusionBench.json beside its pictures, or Parquet.

The pictures of the file lie in hallusion_bench/CATEGORY/SUBCATEGORY/SET_FIGURE.png; questions
with a visual_input of 0 have none.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator

from benchmarks.hallucination.hallusion import Posed
from benchmarks.hallucination.pictures import Album, Cells, Picture, tables_in
from sae_core.errors import UserError
from sae_core.pictures.tables import Rows

FILE, PICTURES = "HallusionBench.json", "hallusion_bench"
ORIGIN = (
    f"{FILE} (in the repository tianyi-lab/HallusionBench) beside {PICTURES}/ with its pictures "
    f"({PICTURES}.zip, named in that repository's README), or the Parquet files of "
    "lmms-lab/HallusionBench"
)
ANSWERS = {"0": False, "1": True}


class _Entry(BaseModel):
    """One question; numbers are written as text, or as numbers."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    category: str
    subcategory: str
    visual_input: str
    set_id: str
    figure_id: str
    question_id: str
    question: str
    gt_answer: str
    filename: str | None = None

    @field_validator("gt_answer")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ANSWERS:
            raise ValueError(f"{value!r} is neither 0 nor 1")
        return value

    def posed(self, picture: Picture | None) -> Posed:
        """The question with its figure."""
        return Posed(
            self.category,
            self.subcategory,
            self.set_id,
            self.figure_id,
            self.question_id,
            picture,
            self.question,
            ANSWERS[self.gt_answer],
        )

    @property
    def shown(self) -> bool:
        """Whether there is a figure."""
        return self.visual_input != "0"


def posed_in(folder: Path) -> list[Posed]:
    """All questions of a local copy."""
    path = folder / FILE
    if not path.is_file():
        if tables := tables_in(folder):
            return [posed for table in tables for posed in _tabled(table)]
        raise UserError(f"{folder} has no {FILE}. Put {ORIGIN} there")
    album = Album(folder, (PICTURES,), f"HallusionBench's pictures ({PICTURES}.zip)")
    try:
        entries = TypeAdapter(list[_Entry]).validate_json(path.read_bytes())
    except ValidationError as error:
        raise _misshapen(path, error) from None
    return [one.posed(album.picture(_name(one)) if one.shown else None) for one in entries]


def _name(one: _Entry) -> str:
    """Below the folder of the pictures; the published names begin with that folder."""
    name = one.filename or f"{one.category}/{one.subcategory}/{one.set_id}_{one.figure_id}.png"
    return name.removeprefix("./").removeprefix(f"{PICTURES}/")


def _tabled(path: Path) -> list[Posed]:
    names = [name for name in _Entry.model_fields if name != "filename"]
    rows, cells = Rows(path, *((name,) for name in names)), Cells(path)
    posed = []
    for at in range(len(rows)):
        try:
            entry = _Entry.model_validate(dict(zip(names, rows.row(at), strict=True)))
        except ValidationError as error:
            raise _misshapen(path, error) from None
        posed.append(entry.posed(cells.picture(at) if entry.shown else None))
    return posed


def _misshapen(path: Path, error: ValidationError) -> UserError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "it"
    return UserError(f"{path}: {where}: {first['msg']}. Put {ORIGIN} there")
