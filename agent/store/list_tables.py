"""The tables that lists are read from, as migrations from 4 on of `agent.store.schema` make them.

Lists are asked for while somebody waits, so what they would add up over everything is kept added
up. Knows SQL only; like all that was released it is never changed.
"""

# An event that replaces another one goes by the way of a deletion: whether a replacement alone
# fires the trigger of one depends on the connection.
_SPENT = "kind IN ('tool', 'failure', 'plan', 'note')"
_COSTS = ("calls", "cached", "tokens", "seconds", "money")
UNITS = f"""
CREATE TABLE units (  -- what the events of each unit come to
  run TEXT NOT NULL,
  unit TEXT NOT NULL,
  began TEXT NOT NULL,
  latest TEXT NOT NULL,
  events INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  cached INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  seconds REAL NOT NULL,
  money REAL NOT NULL,
  PRIMARY KEY (run, unit)
) WITHOUT ROWID;
CREATE INDEX units_by_time ON units (run, began);
CREATE VIEW unit_sums AS
SELECT run, unit, min(at) AS began, max(at) AS latest, count(*) AS events,
  sum(kind = 'failure') AS failures,
  {", ".join(f"sum(iif({_SPENT}, {name}, 0)) AS {name}" for name in _COSTS)}
FROM events GROUP BY run, unit;
INSERT INTO units SELECT * FROM unit_sums;
CREATE TRIGGER event_is_replaced BEFORE INSERT ON events BEGIN
  DELETE FROM events
  WHERE run = new.run AND unit = new.unit AND step = new.step AND place = new.place;
END;
CREATE TRIGGER event_is_added AFTER INSERT ON events BEGIN
  INSERT INTO units SELECT new.run, new.unit, new.at, new.at, 0, 0, 0, 0, 0, 0.0, 0.0
  WHERE NOT EXISTS (SELECT 1 FROM units WHERE run = new.run AND unit = new.unit);
  UPDATE units SET began = min(began, new.at), latest = max(latest, new.at), events = events + 1,
    failures = failures + (new.kind = 'failure'),
    {", ".join(f"{name} = {name} + iif(new.{_SPENT}, new.{name}, 0)" for name in _COSTS)}
  WHERE run = new.run AND unit = new.unit;
END;
CREATE TRIGGER event_is_removed AFTER DELETE ON events BEGIN
  DELETE FROM units WHERE run = old.run AND unit = old.unit;
  INSERT INTO units SELECT * FROM unit_sums WHERE run = old.run AND unit = old.unit;
END;
"""

# Scores are on different scales, so how far they lie apart is told of their skill: which share of
# the way from their null to perfect they went. CLIP-scores have no perfect value.
_OF_CLAIM = "FROM scores WHERE finding = f.id AND whose = 'claim' AND measure"
_SKILLS = f"""
  SELECT (value - max(null_value)) / (1 - max(null_value)) AS skill
  {_OF_CLAIM} IN ('iou_strict', 'consistency', 'balanced_accuracy', 'auroc')
  GROUP BY measure HAVING max(null_value) < 1
"""
OVERVIEW = f"""
CREATE INDEX findings_by_time ON findings (at);
CREATE TABLE overview (  -- a narrow row for each finding: what lists are filtered and sorted by
  number INTEGER PRIMARY KEY,  -- of its row in `words`
  finding TEXT NOT NULL UNIQUE REFERENCES findings (id),
  stands INTEGER NOT NULL,  -- no later one is about the same feature
  run TEXT NOT NULL,
  kind TEXT NOT NULL,
  coder TEXT NOT NULL,
  feature INTEGER,
  status TEXT NOT NULL,
  label TEXT,
  category TEXT,
  at TEXT NOT NULL,
  iou REAL,
  clip REAL,
  consistency REAL,
  balanced_accuracy REAL,
  auroc REAL,
  apart REAL  -- the greatest skill less the least, where there are two
);
CREATE INDEX overview_by_feature ON overview (coder, feature);
CREATE INDEX overview_by_run ON overview (run, feature);
CREATE INDEX overview_by_status ON overview (stands, status, category);
CREATE INDEX overview_by_time ON overview (at);
CREATE VIEW overview_rows AS  -- the same from the tables that count
SELECT w.rowid AS number, f.id AS finding,
  f.feature IS NULL OR NOT EXISTS (
    SELECT 1 FROM findings AS later WHERE later.coder = f.coder AND later.feature = f.feature
      AND (later.at, later.rowid) > (f.at, f.rowid)
  ) AS stands,
  f.run, f.kind, f.coder, f.feature, f.status, f.label, f.category, f.at,
  (SELECT max(value) {_OF_CLAIM} = 'iou_strict') AS iou,
  (SELECT max(value) {_OF_CLAIM} = 'clip_strict') AS clip,
  (SELECT max(value) {_OF_CLAIM} = 'consistency') AS consistency,
  (SELECT max(value) {_OF_CLAIM} = 'balanced_accuracy') AS balanced_accuracy,
  (SELECT max(value) {_OF_CLAIM} = 'auroc') AS auroc,
  (SELECT iif(count(*) > 1, max(skill) - min(skill), NULL) FROM ({_SKILLS})) AS apart
FROM words AS w JOIN findings AS f ON f.id = w.finding;
INSERT INTO overview SELECT * FROM overview_rows;
"""

VECTORS = """
CREATE TABLE vectors (  -- what labels mean, in the numbers of a model that reads text
  number INTEGER PRIMARY KEY,
  encoder TEXT NOT NULL,
  label TEXT NOT NULL,
  vector BLOB NOT NULL,  -- float16, of length 1
  UNIQUE (encoder, label)
);
"""

TAGS = """
CREATE TABLE tags (  -- what is the matter with features or their labels
  finding TEXT NOT NULL REFERENCES findings (id),
  tag TEXT NOT NULL,
  PRIMARY KEY (tag, finding)
) WITHOUT ROWID;
CREATE TRIGGER finding_is_tagged AFTER INSERT ON findings BEGIN
  INSERT OR IGNORE INTO tags SELECT new.id, value FROM json_each(new.document, '$.tags');
END;
INSERT OR IGNORE INTO tags
SELECT f.id, one.value FROM findings AS f, json_each(f.document, '$.tags') AS one;
"""
