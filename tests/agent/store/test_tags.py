"""What is the matter with features can be looked up, in new files and in older ones."""

from sqlite_utils import Database

from agent.store import Reader
from agent.store.rows import finding_row
from agent.store.schema import MIGRATIONS
from tests.agent.store.conftest import PROVENANCE, behaviour_of, finding_of

QUERY = "SELECT tag, finding FROM tags ORDER BY tag, finding"


def test_tags_come_with_their_finding(store):
    both = store.put(finding_of(1, tags=("wrong", "too broad")))
    store.put(finding_of(2))
    store.put(behaviour_of())
    assert [tuple(row.values()) for row in store.rows(QUERY)] == [
        ("too broad", both), ("wrong", both)
    ]  # fmt: skip


def test_an_older_file_gets_them(runs):
    runs.mkdir()
    db = Database(runs / "findings.db")
    MIGRATIONS.apply(db, stop_before="6 tags")
    run = {
        "id": "r1", "question": "?", "profile": "toybox", "status": "done",
        "began": "2026-03-01T12:00:00.000000+00:00", "provenance": PROVENANCE.model_dump_json(),
    }  # fmt: skip
    db.table("runs").insert(run)
    tagged = finding_of(1, tags=("dead",))
    for one in (tagged, finding_of(2), behaviour_of()):
        db.table("findings").insert(finding_row(one))
    db.conn.commit()
    db.close()
    with Reader(runs) as reader:
        assert [tuple(row.values()) for row in reader.rows(QUERY)] == [("dead", tagged.id)]
