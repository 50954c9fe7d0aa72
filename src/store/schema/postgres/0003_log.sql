-- Which messages refer to an id, for conversations: written by the second stage. An id beyond 1,000 bytes is left out.
CREATE TABLE message_reference (
  scope      bigint NOT NULL REFERENCES scope (id),
  id         text COLLATE "C" NOT NULL, -- of In-Reply-To or References, without angle brackets
  message_no bigint NOT NULL REFERENCES message (no),
  PRIMARY KEY (scope, id, message_no)
);
INSERT INTO message_reference (scope, id, message_no)
  SELECT DISTINCT m.scope, r.id, m.no FROM message m, jsonb_array_elements_text(m."references") AS r (id)
  WHERE octet_length(r.id) <= 1000;

-- Entries that a person cancelled and deleted: none of them is ever written again. A message whose last entry is deleted has
-- the index_state `gone`.
CREATE TABLE deleted_entry (
  scope      bigint NOT NULL REFERENCES scope (id),
  id         uuid NOT NULL,
  message_no bigint NOT NULL REFERENCES message (no),
  deleted_at bigint NOT NULL,
  PRIMARY KEY (scope, id)
);
CREATE INDEX deleted_entry_by_message ON deleted_entry (message_no);

CREATE INDEX entry_by_opportunity ON entry (scope, opportunity_no, date, entry_no)
  WHERE opportunity_no IS NOT NULL;
CREATE INDEX entry_canceled ON entry (scope, date, entry_no) WHERE canceled;
