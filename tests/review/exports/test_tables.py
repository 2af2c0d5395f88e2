"""Findings as rows: nothing lost, nothing run by a spreadsheet, the same in every format."""

import csv
import io
import json
import sys

import pytest
from pyarrow import parquet

from agent.errors import UserError
from review.exports.csv_lines import csv_lines
from review.exports.json_lines import json_lines
from review.exports.parquet import ROWS, write_parquet
from review.exports.source import each_finding
from review.exports.table import COLUMNS, row_of
from tests.agent.store.conftest import finding_of, score_of
from tests.review.exports.conftest import FORMULA


@pytest.fixture
def findings(store):
    return list(each_finding(store))


def test_each_score_stands_beside_its_interval_and_every_null():
    row = row_of(finding_of())
    assert (row["auroc"], row["auroc low"], row["auroc high"], row["auroc n"]) == (
        0.9,
        0.8,
        1.0,
        20,
    )
    assert row["iou_strict null moved_masks"] == 0.1
    assert row["iou_strict null moved_masks p"] == 0.01
    assert row["one-shot auroc"] == 0.8
    assert row["better than one-shot p"] == 0.04
    assert row["clip_strict"] is None


def test_a_measure_or_a_null_without_a_column_is_kept_whole():
    finding = finding_of()
    verified = finding.verification.model_copy(
        update={"scores": {"sparkle": score_of(0.5, 0.1), "auroc": score_of(0.9, 0.5)}}
    )
    row = row_of(finding.model_copy(update={"verification": verified}))
    rest = json.loads(row["other scores"])
    assert rest["sparkle"]["value"] == 0.5
    assert [null["name"] for null in rest["auroc"]["nulls"]] == ["moved_masks", "shuffled_labels"]
    assert set(row) == {column.name for column in COLUMNS}


def test_all_formats_have_the_same_rows(findings):
    written = io.BytesIO()
    write_parquet(findings, written)
    table = parquet.read_table(written).to_pylist()
    lines = [json.loads(line) for line in json_lines(findings)]
    assert table == lines
    assert len(table) == 3
    rows = list(csv.DictReader(io.StringIO("".join(csv_lines(findings)), newline="")))
    assert list(rows[0]) == list(lines[0])
    known = [name for name, value in lines[1].items() if isinstance(value, float)]
    assert known
    assert all(float(rows[1][name]) == lines[1][name] for name in known)


def test_columns_keep_their_types_where_no_row_fills_them():
    written = io.BytesIO()
    write_parquet([], written)
    schema = parquet.read_schema(written)
    assert str(schema.field("auroc low").type) == "double"
    assert str(schema.field("feature").type) == "int64"


def test_many_rows_are_written_a_group_at_a_time():
    finding, written = finding_of(), io.BytesIO()
    write_parquet((finding for _ in range(ROWS + 1)), written)
    assert parquet.ParquetFile(written).metadata.num_row_groups == 2


@pytest.mark.parametrize(
    "text", [FORMULA, "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\uff1d1", "\n=1"]
)
def test_a_text_that_a_spreadsheet_would_run_is_put_in_apostrophes(text):
    rows = list(
        csv.DictReader(io.StringIO("".join(csv_lines([finding_of(label=text)])), newline=""))
    )
    assert rows[0]["label"] == f"'{text}"


def test_texts_and_negative_numbers_stay_as_they_are():
    finding = finding_of(label='a "red", umbrella\nor two')
    worse = finding.verification.better.model_copy(update={"value": -0.5, "low": -0.6, "high": 0})
    verified = finding.verification.model_copy(update={"better": worse})
    lines = "".join(csv_lines([finding.model_copy(update={"verification": verified})]))
    (row,) = csv.DictReader(io.StringIO(lines, newline=""))
    assert row["label"] == 'a "red", umbrella\nor two'
    assert row["better than one-shot"] == "-0.5"


def test_of_each_feature_the_latest_finding_stands_and_a_run_keeps_its_own(store):
    store.begin("r2", "again?", store.run("r1").provenance, pid=1)
    store.put(finding_of(run="r2", at=finding_of().at.replace(year=2027), label="a hat"))
    labels = {one.feature: one.label for one in each_finding(store) if one.kind == "feature"}
    assert labels == {9: None, 118: "a hat"}
    assert {one.run for one in each_finding(store, run="r1")} == {"r1"}
    assert [one.feature for one in each_finding(store, status="too rare")] == [9]


def test_without_pyarrow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r'pip install "lmmscope\[parquet\]"'):
        write_parquet([], io.BytesIO())
