-- Which messages refer to an id, for conversations: written by the second stage.
CREATE TABLE message_reference (
  scope      INTEGER NOT NULL REFERENCES scope (id),
  id         TEXT NOT NULL, -- of In-Reply-To or References, without angle brackets
  message_no INTEGER NOT NULL REFERENCES message (no),
  PRIMARY KEY (scope, id, message_no)
) STRICT, WITHOUT ROWID;
INSERT INTO message_reference (scope, id, message_no)
  SELECT DISTINCT m.scope, r.value, m.no FROM message m, json_each(m."references") r;

-- Entries that a person cancelled and deleted: none of them is ever written again. A message whose last entry is deleted has
-- the index_state `gone`.
CREATE TABLE deleted_entry (
  scope      INTEGER NOT NULL REFERENCES scope (id),
  id         BLOB NOT NULL,
  message_no INTEGER NOT NULL REFERENCES message (no),
  deleted_at INTEGER NOT NULL,
  PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_entry_by_message ON deleted_entry (message_no);

CREATE INDEX entry_by_opportunity ON entry (scope, opportunity_no, date, entry_no)
  WHERE opportunity_no IS NOT NULL;
CREATE INDEX entry_canceled ON entry (scope, date, entry_no) WHERE canceled = 1;
