"""The tables of `findings.db`, as migrations: named, in order, and never changed once released.

Knows SQL only. Every column that repeats something from a JSON document is there to be searched,
sorted and joined by; the document is what counts.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from agent.store.list_tables import OVERVIEW, TAGS, UNITS, VECTORS

MIGRATIONS = Migrations("lmmscope")


@MIGRATIONS(name="1 tables")
def _tables(db: Database) -> None:
    db.executescript(_RUNS + _FINDINGS + _PEOPLE)


@MIGRATIONS(name="2 words")
def _words(db: Database) -> None:
    db.executescript(_WORDS)


@MIGRATIONS(name="3 views")
def _views(db: Database) -> None:
    db.executescript(_VIEWS)


@MIGRATIONS(name="4 lists")
def _lists(db: Database) -> None:
    db.executescript(UNITS + OVERVIEW)


@MIGRATIONS(name="5 vectors")
def _vectors(db: Database) -> None:
    db.executescript(VECTORS)


@MIGRATIONS(name="6 tags")
def _tags(db: Database) -> None:
    db.executescript(TAGS)


@MIGRATIONS(name="7 discoveries")
def _discoveries(db: Database) -> None:
    db.executescript(_DISCOVERIES)


@MIGRATIONS(name="8 seals of a subject")
def _seals_of_a_subject(db: Database) -> None:
    db.executescript("CREATE INDEX seals_of_subject ON seals (subject);")


def pending(db: Database) -> bool:
    """Whether the file is older than this program."""
    return bool(MIGRATIONS.pending(db))


def unknown(db: Database) -> list[str]:
    """The migrations of a program that is newer than this one."""
    with Database(memory=True) as empty:
        known = {one.name for one in MIGRATIONS.pending(empty)}
    return [one.name for one in MIGRATIONS.applied(db) if one.name not in known]


_RUNS = """
CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  question TEXT NOT NULL,
  profile TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'paused', 'done', 'failed', 'aborted')),
  began TEXT NOT NULL,
  ended TEXT,
  plan TEXT,
  answer TEXT,  -- or why it stopped
  pid INTEGER,
  provenance TEXT NOT NULL
);
CREATE TABLE events (
  run TEXT NOT NULL REFERENCES runs (id),
  unit TEXT NOT NULL,
  step INTEGER NOT NULL,
  place INTEGER NOT NULL,
  who TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  tool TEXT,
  arguments TEXT,
  result TEXT,
  artefacts TEXT NOT NULL,
  calls INTEGER NOT NULL,
  cached INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  seconds REAL NOT NULL,
  money REAL NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (run, unit, step, place)
);
CREATE TABLE artefacts (  -- which artefacts an event speaks of
  run TEXT NOT NULL,
  unit TEXT NOT NULL,
  step INTEGER NOT NULL,
  place INTEGER NOT NULL,
  artefact TEXT NOT NULL,
  PRIMARY KEY (run, unit, step, place, artefact),
  FOREIGN KEY (run, unit, step, place) REFERENCES events ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE calls (  -- what models were asked, word for word
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL,  -- of the request, and of the model that it went to
  run TEXT NOT NULL REFERENCES runs (id),
  unit TEXT NOT NULL,
  step INTEGER NOT NULL,
  role TEXT NOT NULL,
  model TEXT NOT NULL,
  identity TEXT NOT NULL,
  prompt TEXT NOT NULL,
  messages TEXT NOT NULL,  -- pictures by their artefacts
  settings TEXT NOT NULL,
  reply TEXT,
  failure TEXT,
  calls INTEGER NOT NULL,
  cached INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  seconds REAL NOT NULL,
  money REAL NOT NULL,
  at TEXT NOT NULL
);
CREATE INDEX calls_of_step ON calls (run, unit, step);
CREATE TABLE shown (  -- which pictures a model was shown
  call INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
  artefact TEXT NOT NULL,
  PRIMARY KEY (call, artefact)
) WITHOUT ROWID;
CREATE TABLE seals (  -- which sealed pictures were opened, for which claim
  key TEXT NOT NULL,
  pictures TEXT NOT NULL,
  claim TEXT NOT NULL,
  subject TEXT NOT NULL DEFAULT '',  -- what they were opened for: a feature of a coder
  run TEXT,
  at TEXT NOT NULL,
  PRIMARY KEY (key, pictures)
);
CREATE TRIGGER seals_stay_broken BEFORE DELETE ON seals
BEGIN SELECT RAISE(ABORT, 'a seal that was opened stays open'); END;
"""

_FINDINGS = """
CREATE TABLE findings (
  id TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  run TEXT NOT NULL REFERENCES runs (id),
  kind TEXT NOT NULL CHECK (kind IN ('feature', 'behaviour')),
  feature INTEGER,
  coder TEXT NOT NULL,
  status TEXT NOT NULL,
  label TEXT,
  category TEXT,
  summary TEXT NOT NULL,
  document TEXT NOT NULL,
  at TEXT NOT NULL
);
CREATE INDEX findings_by_key ON findings (key);
CREATE INDEX findings_by_run ON findings (run);
CREATE INDEX findings_by_feature ON findings (coder, feature);
CREATE TABLE hypotheses (
  finding TEXT NOT NULL REFERENCES findings (id),
  rank INTEGER NOT NULL,
  claim TEXT NOT NULL,
  origin TEXT NOT NULL,
  votes INTEGER NOT NULL,
  tests INTEGER NOT NULL,
  standing REAL,
  PRIMARY KEY (finding, rank)
) WITHOUT ROWID;
CREATE TABLE scores (  -- a row for each null that a measure has to beat
  finding TEXT NOT NULL REFERENCES findings (id),
  whose TEXT NOT NULL,  -- the claim's, the one-shot label's, or how much better the first is
  measure TEXT NOT NULL,
  value REAL NOT NULL,
  low REAL NOT NULL,
  high REAL NOT NULL,
  n INTEGER NOT NULL,
  null_name TEXT,
  null_value REAL,
  p REAL
);
CREATE INDEX scores_of_finding ON scores (finding);
CREATE TABLE evidence (  -- which artefacts a finding rests on
  finding TEXT NOT NULL REFERENCES findings (id),
  artefact TEXT NOT NULL,
  PRIMARY KEY (finding, artefact)
) WITHOUT ROWID;
"""

_PEOPLE = """
CREATE TABLE verdicts (  -- what people think of findings
  id INTEGER PRIMARY KEY,
  finding TEXT NOT NULL REFERENCES findings (id),
  reviewer TEXT NOT NULL,
  score INTEGER NOT NULL CHECK (score BETWEEN 1 AND 5),
  tags TEXT NOT NULL,
  note TEXT NOT NULL,
  at TEXT NOT NULL
);
CREATE INDEX verdicts_on_finding ON verdicts (finding);
CREATE TRIGGER verdicts_are_not_changed BEFORE UPDATE ON verdicts
BEGIN SELECT RAISE(ABORT, 'verdicts are added, never changed'); END;
CREATE TRIGGER verdicts_are_not_removed BEFORE DELETE ON verdicts
BEGIN SELECT RAISE(ABORT, 'verdicts are added, never removed'); END;
"""

_WORDS = """
CREATE VIRTUAL TABLE words USING fts5 (
  finding UNINDEXED, label, summary, category, claims, question,
  tokenize = 'porter unicode61 remove_diacritics 2'
);
"""

# Events that tell what other events came to would count twice, so costs are summed over those that
# spend something themselves.
_VIEWS = """
CREATE VIEW feature_table AS  -- what is known of each feature, by its latest finding
SELECT f.feature, f.label, f.status, f.category,
  max(CASE s.measure WHEN 'iou_strict' THEN s.value END) AS iou,
  max(CASE s.measure WHEN 'clip_strict' THEN s.value END) AS clip,
  max(CASE s.measure WHEN 'consistency' THEN s.value END) AS consistency,
  max(CASE s.measure WHEN 'balanced_accuracy' THEN s.value END) AS balanced_accuracy,
  max(CASE s.measure WHEN 'auroc' THEN s.value END) AS auroc,
  f.summary, f.id AS finding, f.run, f.coder, f.at
FROM findings AS f LEFT JOIN scores AS s ON s.finding = f.id AND s.whose = 'claim'
WHERE f.kind = 'feature' AND NOT EXISTS (
  SELECT 1 FROM findings AS later
  WHERE later.coder = f.coder AND later.feature = f.feature
    AND (later.at, later.rowid) > (f.at, f.rowid)
)
GROUP BY f.id ORDER BY f.coder, f.feature;
CREATE VIEW step_costs AS
SELECT run, unit, step, min(at) AS began, sum(calls) AS calls, sum(cached) AS cached,
  sum(tokens) AS tokens, sum(seconds) AS seconds, sum(money) AS money
FROM events WHERE kind IN ('tool', 'failure', 'plan', 'note') GROUP BY run, unit, step;
CREATE VIEW run_costs AS
SELECT r.id AS run, r.question, r.status, r.began, r.ended,
  (SELECT count(*) FROM findings WHERE run = r.id) AS findings,
  coalesce(sum(c.calls), 0) AS calls, coalesce(sum(c.cached), 0) AS cached,
  coalesce(sum(c.tokens), 0) AS tokens, coalesce(sum(c.seconds), 0.0) AS seconds,
  coalesce(sum(c.money), 0.0) AS money
FROM runs AS r LEFT JOIN step_costs AS c ON c.run = r.id
GROUP BY r.id ORDER BY r.began;
CREATE VIEW score_table AS
SELECT f.feature, f.label, f.status, s.whose, s.measure, s.value, s.low, s.high, s.n,
  s.null_name, s.null_value, s.p, f.id AS finding, f.run
FROM scores AS s JOIN findings AS f ON f.id = s.finding ORDER BY f.feature, s.whose, s.measure;
CREATE VIEW opinions AS  -- what people think, beside what was found
SELECT f.feature, f.label, f.status, v.reviewer, v.score, v.tags, v.note, v.at, f.id AS finding
FROM verdicts AS v JOIN findings AS f ON f.id = v.finding ORDER BY v.at;
"""

_DISCOVERIES = """
CREATE TABLE discoveries (  -- how a verified finding stands among all those of a batch
  finding TEXT NOT NULL REFERENCES findings (id),
  run TEXT NOT NULL REFERENCES runs (id),
  unit TEXT NOT NULL,
  among INTEGER NOT NULL,
  rate REAL NOT NULL,
  adjusted REAL NOT NULL,
  PRIMARY KEY (finding, run, unit)
) WITHOUT ROWID;
CREATE VIEW batch_table AS  -- what is left of each batch's findings, given how many there were
SELECT d.run, f.feature, f.label, f.status, d.adjusted, d.rate, d.among,
  d.adjusted <= d.rate AS holds, f.id AS finding
FROM discoveries AS d JOIN findings AS f ON f.id = d.finding ORDER BY d.run, f.feature;
"""
