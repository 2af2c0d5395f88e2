"""Pictures on disk: what is numbered, what is left out and named, and what changes a set."""

import io
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sae_core.errors import UserError
from sae_core.index.observer import Named
from sae_core.pictures import manifest
from sae_core.pictures.manifest import Share
from sae_core.pictures.stored import StoredPictures, source_of
from tests.sae_core.small_models import noise


def png(seed: int) -> bytes:
    out = io.BytesIO()
    noise(9, 7, seed).save(out, "png")
    return out.getvalue()


def write_folder(where, rows):
    for name, data in rows:
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_bytes(data)
    return where


def write_tar(where, rows):
    where.mkdir()
    for shard in range(2):
        with tarfile.open(where / f"{shard:06d}.tar", "w") as tar:
            for name, data in rows[shard::2]:
                for member, content in ((name, data), (f"{name}.json", b"{}")):
                    about = tarfile.TarInfo(member)
                    about.size = len(content)
                    tar.addfile(about, io.BytesIO(content))
    return where


def write_parquet(where, rows, plain=False):
    where.mkdir()
    for shard in range(2):
        cells = [data if plain else {"bytes": data, "path": name} for name, data in rows[shard::2]]
        table = pa.table({"id": list(range(len(cells))), "image": cells})
        pq.write_table(table, where / f"train-{shard}.parquet", row_group_size=3)
    return where


def write_binary(where, rows):
    return write_parquet(where, rows, plain=True)


ROWS = [(f"{seed:03d}.png", png(seed)) for seed in range(10)]
WRITERS = {
    "folder": write_folder, "tar": write_tar, "parquet": write_parquet, "binary": write_binary,
}  # fmt: skip
ways = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def pixels(pictures):
    return sorted(pictures.picture(n).tobytes() for n in range(len(pictures)))


@ways
def test_every_picture_has_a_number_wherever_it_lies(tmp_path, write):
    found = StoredPictures(write(tmp_path / "set", ROWS), tmp_path / "kept")
    assert len(found) == 10
    assert pixels(found) == sorted(noise(9, 7, seed).tobytes() for seed in range(10))
    again = StoredPictures(tmp_path / "set", tmp_path / "kept")
    assert [again.picture(n).tobytes() for n in (9, 0)] == [
        found.picture(n).tobytes() for n in (9, 0)
    ]


def test_a_picture_is_known_again_in_another_set(tmp_path):
    one, other = (
        StoredPictures(write_tar(tmp_path / name, rows), tmp_path / "kept")
        for name, rows in (("one", ROWS[:6]), ("other", ROWS[4:]))
    )
    assert isinstance(one, Named)
    assert len(set(one.contents()) & set(other.contents())) == 2


@ways
def test_the_same_picture_counts_once_and_a_broken_one_is_named(tmp_path, write):
    rows = [*ROWS, ("twice.png", ROWS[4][1]), ("broken.png", ROWS[5][1][:60]), ("no.png", b"no")]
    found = StoredPictures(write(tmp_path / "set", rows), tmp_path / "kept")
    assert len(found) == 10
    assert found.manifest.repeated == 1
    broken = sorted(name for name, _ in found.manifest.unreadable)
    assert len(broken) == 2
    assert all(why for _, why in found.manifest.unreadable)
    if write in (write_folder, write_tar):
        assert broken == ["broken.png", "no.png"]
    else:
        assert all(name.startswith("train-") and " row " in name for name in broken)


def test_a_row_without_a_picture_is_left_out_and_named(tmp_path):
    table = pa.table({"image": [{"bytes": ROWS[0][1], "path": "a"}, None]})
    pq.write_table(table, tmp_path / "rows.parquet")
    found = StoredPictures(tmp_path / "rows.parquet", tmp_path / "kept")
    assert len(found) == 1
    assert found.manifest.unreadable == (("rows.parquet row 1", "there is no picture"),)


def test_a_file_that_can_not_be_read_takes_nothing_else_with_it(tmp_path):
    where = write_folder(tmp_path / "set", ROWS[:2])
    (where / "folder.png").mkdir()
    (where / "nowhere.png").symlink_to(where / "gone")
    (where / "empty.png").touch()
    found = StoredPictures(where, tmp_path / "kept")
    assert len(found) == 2
    assert [name for name, _ in found.manifest.unreadable] == ["empty.png", "nowhere.png"]


def test_a_name_in_no_known_alphabet_is_a_name(tmp_path):
    write_folder(tmp_path / "set", ROWS[:1])
    Path(os.fsdecode(os.fsencode(tmp_path / "set") + b"/\xff.png")).write_bytes(ROWS[1][1])
    (tmp_path / "set" / "图片 ü.PNG").write_bytes(ROWS[2][1])
    names = [
        one.name for one in StoredPictures(tmp_path / "set", tmp_path / "kept").manifest.entries
    ]
    assert sorted(names) == ["000.png", "\\xff.png", "图片 ü.PNG"]


def test_a_folder_whose_name_looks_like_a_pattern_is_a_folder(tmp_path):
    assert len(StoredPictures(write_folder(tmp_path / "a[1]", ROWS), tmp_path / "kept")) == 10


def test_what_came_of_numbering_is_told_once(tmp_path):
    where = write_folder(tmp_path / "set", [*ROWS, ("twice.png", ROWS[0][1])])
    told = []
    for _ in range(2):
        made = lambda manifest, kept: told.append((manifest.repeated, kept.exists()))  # noqa: E731
        assert len(StoredPictures(where, tmp_path / "kept", made=made)) == 10
    assert told == [(1, True)]


def test_a_set_is_numbered_once(tmp_path, monkeypatch):
    where = write_folder(tmp_path / "set", ROWS)
    first = StoredPictures(where, tmp_path / "kept")
    assert len(first) == 10

    def refuse(*_):
        raise AssertionError("it was numbered again")

    monkeypatch.setattr(manifest, "made", refuse)
    again = StoredPictures(where, tmp_path / "kept")
    assert again.digest == first.digest
    assert again.manifest == first.manifest


def test_a_changed_picture_gives_another_set(tmp_path):
    where = write_folder(tmp_path / "set", ROWS)
    before = StoredPictures(where, tmp_path / "kept").digest
    (where / "003.png").write_bytes(png(99))
    assert StoredPictures(where, tmp_path / "kept").digest != before


def test_a_picture_that_changes_while_it_is_used_is_refused(tmp_path):
    where = write_folder(tmp_path / "set", ROWS)
    found = StoredPictures(where, tmp_path / "kept")
    assert found.picture(3).size == (9, 7)
    (where / "003.png").write_bytes(png(99))
    with pytest.raises(UserError, match=r"Picture 3 \(003\.png\) .* no longer what it was"):
        found.picture(3)


def test_where_a_set_lies_does_not_change_what_it_is(tmp_path):
    one = StoredPictures(write_folder(tmp_path / "one", ROWS), tmp_path / "kept")
    other = StoredPictures(write_folder(tmp_path / "other", ROWS), tmp_path / "kept")
    assert one.digest == other.digest


def test_no_more_is_looked_at_than_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "AT_ONCE", 2)
    rows = [*ROWS[:4], ("3b.png", b"broken")]
    where = write_folder(tmp_path / "set", sorted(rows))
    (where / "zzz.png").write_bytes(b"never reached")
    found = StoredPictures(where, tmp_path / "kept", 3)
    assert len(found) == 3
    assert found.manifest.unreadable == ()


def test_shares_part_a_set_by_content(tmp_path):
    rows = [(f"{seed}.png", png(seed)) for seed in range(60)]
    where = write_folder(tmp_path / "set", rows)
    parts = [
        StoredPictures(where, tmp_path / "kept", share=Share(*ends))
        for ends in ((0, 50), (50, 75), (75, 100))
    ]
    seen = [pixels(part) for part in parts]
    assert sorted(one for part in seen for one in part) == sorted(
        noise(9, 7, seed).tobytes() for seed in range(60)
    )
    assert all(10 < len(part) < 45 for part in parts[:1])
    moved = write_folder(tmp_path / "moved", [(f"x/{name}", data) for name, data in rows[:30]])
    again = StoredPictures(moved, tmp_path / "kept", share=Share(0, 50))
    assert set(pixels(again)) <= set(seen[0])


def test_pictures_can_be_drawn_to_one_side(tmp_path):
    where = write_folder(tmp_path / "set", ROWS)
    plain = StoredPictures(where, tmp_path / "kept")
    square = StoredPictures(where, tmp_path / "kept", side=12)
    assert square.picture(0).size == (12, 12)
    assert square.digest != plain.digest


@pytest.mark.parametrize("pattern", ["set/*.tar", "list.txt"])
def test_shards_can_be_named_by_a_pattern_or_a_list(tmp_path, pattern):
    write_tar(tmp_path / "set", ROWS)
    (tmp_path / "list.txt").write_text("set/000000.tar\n\nset/000001.tar\n")
    found = StoredPictures(tmp_path / pattern, tmp_path / "kept")
    assert found.digest == StoredPictures(tmp_path / "set", tmp_path / "kept").digest


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("nothing", None, "there is no such file"),
        ("no/*.tar", None, "no file has such a name"),
        ("list.txt", b"\n", "the list is empty"),
        ("data.csv", b"a", "it is no folder"),
        ("cut.tar", b"no tar", "can't be read"),
        ("cut.parquet", b"no parquet", "can't be read"),
    ],
)
def test_what_can_not_be_read_is_named(tmp_path, name, content, complaint):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=complaint) as caught:
        len(StoredPictures(tmp_path / name, tmp_path / "kept"))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_set_of_nothing_but_broken_pictures_is_refused_and_names_them(tmp_path):
    write_folder(tmp_path / "set", [("a.png", b"no")])
    with pytest.raises(UserError, match=r"None of the pictures .*a\.png"):
        len(StoredPictures(tmp_path / "set", tmp_path / "kept"))


def test_a_table_without_pictures_names_its_columns(tmp_path):
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "rows.parquet")
    with pytest.raises(UserError, match="it has text"):
        len(StoredPictures(tmp_path / "rows.parquet", tmp_path / "kept"))


def test_a_damaged_manifest_is_named(tmp_path):
    write_folder(tmp_path / "set", ROWS)
    assert len(StoredPictures(tmp_path / "set", tmp_path / "kept")) == 10
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_text("{")
    with pytest.raises(UserError, match="is no manifest"):
        len(StoredPictures(tmp_path / "set", tmp_path / "kept"))


@pytest.mark.parametrize("text", ["a#80-20", "a#0-101", "a#1.2.3-5"])
def test_a_share_that_is_none_is_refused(text):
    with pytest.raises(UserError, match="in percent"):
        source_of(text)


def test_a_share_is_told_from_a_name():
    assert source_of("hub:a/b#0-80") == ("hub:a/b", Share(0, 80))
    assert source_of("a#b.png") == ("a#b.png", Share())
