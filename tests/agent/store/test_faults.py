"""What can go wrong with the file: each fault is one clear line, and what was committed stays."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agent.store import Reader, Store
from agent.store.schema import MIGRATIONS
from sae_core.errors import UserError
from tests.agent.store.conftest import PROVENANCE, event_of, finding_of

NOBODY = 65534


@pytest.fixture
def sealed_folder():
    """A runs folder with a finding in which nothing may be written, not by root either."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store(folder / "runs") as store:
            store.begin("r1", "?", PROVENANCE, pid=1)
            store.put(finding_of())
            store.ended("r1", "done", "")
        runs, root = folder / "runs", os.geteuid() == 0
        (runs / "findings.db").chmod(0o444)
        runs.chmod(0o555)
        folder.chmod(0o755)
        if root:
            os.seteuid(NOBODY)
        yield runs
        if root:
            os.seteuid(0)
        runs.chmod(0o755)


def test_a_full_disk_is_told_and_the_rest_stays_readable(store, runs):
    store.put(finding_of(1))
    (pages,) = store._file.rows("PRAGMA page_count")
    store._file.rows(f"PRAGMA max_page_count = {pages['page_count']}")

    def fill():
        for place in range(200):
            store.hear(event_of("x" * 500, place=place))

    with pytest.raises(UserError, match=r"the disk is full.*lmmscope runs gc"):
        fill()
    heard = len(store.events("r1"))
    assert 0 < heard < 200
    with Reader(runs) as reader:
        assert reader.findings("r1") == (finding_of(1),)
        assert len(reader.events("r1")) == heard
    store._file.rows("PRAGMA max_page_count = 1000000")
    store.put(finding_of(2))
    assert len(store.findings("r1")) == 2


def test_a_folder_that_may_only_be_read_can_be_read(sealed_folder):
    with Reader(sealed_folder) as reader:
        assert reader.findings("r1") == (finding_of(),)
        assert not reader.run("r1").alive


def test_a_database_that_may_only_be_read_is_told_to_a_writer(sealed_folder):
    with pytest.raises(UserError, match=r"findings.db can't be opened or written.*--runs DIR"):
        Store(sealed_folder)


def test_a_folder_that_can_t_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"can't be made: .*--runs DIR"):
        Store(tmp_path / "file" / "runs")


def test_without_a_database_a_reader_says_how_to_get_one(runs):
    with pytest.raises(UserError, match="Try lmmscope ask"):
        Reader(runs)
    assert not runs.exists()


def test_a_second_writer_is_told_who_holds_the_file_and_readers_read_on(store, runs):
    # The run's process is said to be another one, as it would be with two terminals.
    with store._file.change() as db:
        db.execute("UPDATE runs SET pid = 4242")
    with Store(runs, patience=0.05) as second, store._file.change():
        with pytest.raises(UserError, match=r"locked by process 4242 \(run r1\)"):
            second.put(finding_of())
        assert second.findings("r1") == ()


def test_another_program_may_hold_the_file_too(store, runs):
    other = sqlite3.connect(runs / "findings.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UserError, match="locked by another program"):
        store.put(finding_of())
    other.execute("ROLLBACK")
    other.close()
    store.put(finding_of())
    assert store.findings("r1") == (finding_of(),)


def test_a_file_that_is_no_database_is_told_to_both(runs):
    runs.mkdir()
    (runs / "findings.db").write_bytes(b"not a database at all" * 100)
    for kind in (Reader, Store):
        with pytest.raises(UserError, match=r"findings.db is damaged: .*\.recover"):
            kind(runs)


def test_damage_in_the_middle_is_told_where_it_is_met(store, runs):
    for feature in range(60):
        store.put(finding_of(feature))
    store.close()
    path = runs / "findings.db"
    content = bytearray(path.read_bytes())
    content[3 * 4096 : -4096] = os.urandom(len(content) - 4 * 4096)
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged"), Reader(runs) as reader:
        reader.findings("r1")


def test_a_newer_file_is_refused_by_name(store, runs):
    with store._file.change() as db:
        db.table("_sqlite_migrations").insert(
            {"migration_set": MIGRATIONS.name, "name": "99 later", "applied_at": "then"}
        )
    for kind in (Reader, Store):
        with pytest.raises(UserError, match="newer lmmscope: '99 later' is unknown"):
            kind(runs)


def test_an_older_file_gets_what_it_lacks_and_keeps_what_it_has(store, runs):
    store.put(finding_of())
    with store._file.change() as db:
        db.execute("DELETE FROM _sqlite_migrations WHERE name = '3 views'")
        for view in ("feature_table", "step_costs", "run_costs", "score_table", "opinions"):
            db.execute(f"DROP VIEW {view}")
    store.close()
    with Reader(runs) as reader:
        assert reader.runs_begun()[0].findings == 1
        assert reader.findings("r1") == (finding_of(),)


def test_a_finding_of_another_version_is_told_by_its_id(store):
    name = store.put(finding_of())
    with store._file.change() as db:
        db.execute("UPDATE findings SET document = json_remove(document, '$.evidence')")
    with pytest.raises(UserError, match=rf"{name} .*another version: feature.evidence: "):
        store.finding(name)


def test_a_run_is_worked_on_by_one_process(store, runs):
    with (
        Store(runs) as second,
        pytest.raises(UserError, match=f"worked on by process {os.getpid()}"),
    ):
        second.resumed("r1", pid=99)
    store.ended("r1", "paused", "stopped")
    with Store(runs) as second:
        second.resumed("r1", pid=99)
        assert second.run("r1").alive
        assert second.run("r1").answer is None


WORKER = """
import sys, time
from pathlib import Path
from agent.store import Store
from tests.agent.store.conftest import PROVENANCE, event_of

store = Store(Path(sys.argv[1]))
store.begin("killed", "?", PROVENANCE, pid=1)
store.hear(event_of("before", run="killed"))
print("ready", flush=True)
with store._file.change() as db:
    db.execute("DELETE FROM events")
    time.sleep(60)
"""


def test_a_killed_run_leaves_what_it_committed_and_can_be_taken_over(runs):
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(runs)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert worker.stdout.readline() == b"ready\n"
    with Reader(runs) as reader:
        assert reader.run("killed").alive
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    with Store(runs) as store:
        assert (store.run("killed").status, store.run("killed").alive) == ("running", False)
        assert [one.text for one in store.events("killed")] == ["before"]
        store.resumed("killed", pid=2)
        assert store.run("killed").alive
