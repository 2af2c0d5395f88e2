"""Exports as downloads: files, never pages of ours."""

import json

import pytest


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("runs/r1/html", "r1.html"),
        ("runs/r/json", "r1.jsonl"),
        ("runs/r1/spans", "r1.spans.jsonl"),
        ("findings.csv", "findings.csv"),
        ("findings.jsonl", "findings.jsonl"),
    ],
)
def test_what_models_wrote_is_downloaded_and_never_shown_as_a_page(client, path, name):
    reply = client.get(f"/exports/{path}")
    assert reply.status_code == 200
    assert reply.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert len(reply.content) > 500


def test_findings_can_be_chosen(client):
    lines = client.get("/exports/findings.jsonl", params={"status": "too rare"}).text.splitlines()
    assert [json.loads(line)["feature"] for line in lines] == [9]


@pytest.mark.parametrize("path", ["runs/nowhere/html", "runs/r1/exe", "findings.exe"])
def test_what_there_is_not_is_no_download(client, path):
    assert client.get(f"/exports/{path}").status_code in (400, 404, 422)
