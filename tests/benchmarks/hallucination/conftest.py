"""Tiny local copies of the published data sets, and a place to measure in."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from benchmarks.paper.bench import Bench
from lmmscope.settings import load_settings
from tests.sae_core.small_models import noise
from tests.tools.small_lab import small_lab


def png(seed, folder):
    """A picture's bytes."""
    path = folder / f"{seed}.png"
    noise(24, 24, seed).save(path)
    return path.read_bytes()


@pytest.fixture
def draw(tmp_path_factory):
    """Writes a picture to a path."""

    def to(path, seed):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(seed, tmp_path_factory.mktemp("drawn")))

    return to


@pytest.fixture
def table(tmp_path_factory):
    """Writes a Parquet file of rows, whose `image` is the number of a picture or None."""

    def to(path, rows):
        folder = tmp_path_factory.mktemp("cells")
        cells = [
            row
            | {
                "image": None
                if row["image"] is None
                else {"bytes": png(row["image"], folder), "path": f"{row['image']}.png"}
            }
            for row in rows
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
        columns = {
            name: pyarrow.array(
                [cell[name] for cell in cells], type=kind if name == "image" else pyarrow.string()
            )
            for name in rows[0]
        }
        pyarrow.parquet.write_table(pyarrow.table(columns), path)

    return to


@pytest.fixture
def lines():
    """Writes a JSON-lines file."""

    def to(path, rows):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    return to


@pytest.fixture
def bench(tmp_path):
    """A tiny random model with a random coder."""
    settings = load_settings("toybox").model_copy(update={"runs": tmp_path / "runs"})
    return Bench(settings, small_lab(tmp_path), 0)
