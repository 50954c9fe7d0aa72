-- The key of the scope's tombstones: 32 random bytes, made with the first of them. Null: there is none.
ALTER TABLE scope ADD COLUMN tombstone_key BLOB;

-- What is left of mail that was removed and of persons who are never logged again.
CREATE TABLE tombstone (
  scope INTEGER NOT NULL REFERENCES scope (id),
  hash  BLOB NOT NULL, -- BLAKE3 under the scope's key: of a content; of Message-ID, date and author; of an address
  why   TEXT NOT NULL, -- removed, erased, expired, address
  author TEXT NOT NULL, -- at whose wish, in the terms of the host
  at    INTEGER NOT NULL,
  PRIMARY KEY (scope, hash)
) STRICT, WITHOUT ROWID;

-- What a person says about a whole mail.
CREATE TABLE mail_mark (
  message_no INTEGER NOT NULL REFERENCES message (no),
  kind       TEXT NOT NULL, -- private, hold
  scope      INTEGER NOT NULL REFERENCES scope (id),
  author     TEXT NOT NULL,
  reason     TEXT NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (message_no, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_by_message ON event (message_no) WHERE message_no IS NOT NULL;
