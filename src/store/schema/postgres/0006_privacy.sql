-- The key of the scope's tombstones: 32 random bytes, made with the first of them. Null: there is none.
ALTER TABLE scope ADD COLUMN tombstone_key bytea;

-- What is left of mail that was removed and of persons who are never logged again.
CREATE TABLE tombstone (
  scope bigint NOT NULL REFERENCES scope (id),
  hash  bytea NOT NULL, -- BLAKE3 under the scope's key: of a content; of Message-ID, date and author; of an address
  why   text NOT NULL, -- removed, erased, expired, address
  author text NOT NULL, -- at whose wish, in the terms of the host
  at    bigint NOT NULL,
  PRIMARY KEY (scope, hash)
);

-- What a person says about a whole mail.
CREATE TABLE mail_mark (
  message_no bigint NOT NULL REFERENCES message (no),
  kind       text NOT NULL, -- private, hold
  scope      bigint NOT NULL REFERENCES scope (id),
  author     text NOT NULL,
  reason     text NOT NULL,
  at         bigint NOT NULL,
  PRIMARY KEY (message_no, kind)
);

CREATE INDEX event_by_message ON event (message_no) WHERE message_no IS NOT NULL;

-- Removing a message would read the whole of these tables for each, since none has an index that begins with its number. The
-- rows of a message are found by other keys and go with it in one transaction.
ALTER TABLE participant DROP CONSTRAINT IF EXISTS participant_message_no_fkey;
ALTER TABLE message_reference DROP CONSTRAINT IF EXISTS message_reference_message_no_fkey;
ALTER TABLE original DROP CONSTRAINT IF EXISTS original_message_no_fkey;
