-- What a person said about a mail that was not logged. A sighting without a row is open, at version 0.
CREATE TABLE review (
  sighting_no bigint PRIMARY KEY REFERENCES sighting (no) ON DELETE CASCADE,
  scope       bigint NOT NULL REFERENCES scope (id),
  version     bigint NOT NULL, -- from 1; a resolution must name the one it saw
  state       text NOT NULL,    -- open, assigned, ignored
  resolution  text NOT NULL,    -- {"by", "note", "assignment", "state"}
  at          bigint NOT NULL
);

-- What changed at the link between a message and a contact after it was written.
CREATE TABLE entry_link (
  scope      bigint NOT NULL,
  entry_id   uuid NOT NULL,
  held       boolean NOT NULL, -- true: a person cancelled it or took that back; nothing automatic touches it
  withdrawn  text,             -- why a later match cancelled it; null where it holds
  changed_at bigint NOT NULL,
  PRIMARY KEY (scope, entry_id),
  FOREIGN KEY (scope, entry_id) REFERENCES entry (scope, id) ON DELETE CASCADE
);

-- Who is never logged.
CREATE TABLE never_log (
  scope      bigint PRIMARY KEY REFERENCES scope (id),
  version    bigint NOT NULL, -- from 1; a change must name the one it saw
  rules      text NOT NULL,    -- {"organisation": [rule], "salespeople": {code: [rule]}}
  changed_at bigint NOT NULL
);

-- The last word about each mailbox's health.
CREATE INDEX event_of_health ON event (mailbox, number)
  WHERE kind IN ('sign-in-needed', 'health-changed');
