-- What a person said about a mail that was not logged. A sighting without a row is open, at version 0.
CREATE TABLE review (
  sighting_no INTEGER PRIMARY KEY REFERENCES sighting (no) ON DELETE CASCADE,
  scope       INTEGER NOT NULL REFERENCES scope (id),
  version     INTEGER NOT NULL, -- from 1; a resolution must name the one it saw
  state       TEXT NOT NULL,    -- open, assigned, ignored
  resolution  TEXT NOT NULL,    -- {"by", "note", "assignment", "state"}
  at          INTEGER NOT NULL
) STRICT;

-- What changed at the link between a message and a contact after it was written.
CREATE TABLE entry_link (
  scope      INTEGER NOT NULL,
  entry_id   BLOB NOT NULL,
  held       INTEGER NOT NULL, -- 1: a person cancelled it or took that back; nothing automatic touches it
  withdrawn  TEXT,             -- why a later match cancelled it; null where it holds
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (scope, entry_id),
  FOREIGN KEY (scope, entry_id) REFERENCES entry (scope, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Who is never logged.
CREATE TABLE never_log (
  scope      INTEGER PRIMARY KEY REFERENCES scope (id),
  version    INTEGER NOT NULL, -- from 1; a change must name the one it saw
  rules      TEXT NOT NULL,    -- {"organisation": [rule], "salespeople": {code: [rule]}}
  changed_at INTEGER NOT NULL
) STRICT;

-- The last word about each mailbox's health.
CREATE INDEX event_of_health ON event (mailbox, number)
  WHERE kind IN ('sign-in-needed', 'health-changed');
