-- Every time is microseconds since 1970-01-01 00:00 UTC. Every id is a blob of 16 bytes, every digest one of 32. Enums are
-- short text. Lists are JSON arrays. U+0000 never stands in a text.

-- Whose rows they are. `scope` in every other table is this id.
CREATE TABLE scope (
  id            INTEGER PRIMARY KEY,
  tenant        TEXT NOT NULL,
  company       TEXT NOT NULL,
  last_entry_no INTEGER NOT NULL DEFAULT 0, -- the highest entry_no ever given
  last_event_no INTEGER NOT NULL DEFAULT 0, -- the highest event number ever given
  UNIQUE (tenant, company)
) STRICT;

-- The mailboxes and public-folder queues of a scope, by the host's name. `mailbox` in other tables is this id.
CREATE TABLE mailbox (
  id    INTEGER PRIMARY KEY,
  scope INTEGER NOT NULL REFERENCES scope (id),
  key   TEXT NOT NULL,
  UNIQUE (scope, key)
) STRICT;

-- Who works on a mailbox. A row is never removed: its epoch only rises.
CREATE TABLE lease (
  mailbox INTEGER PRIMARY KEY REFERENCES mailbox (id),
  scope   INTEGER NOT NULL REFERENCES scope (id),
  holder  TEXT NOT NULL,    -- empty: given back
  epoch   INTEGER NOT NULL,
  until   INTEGER NOT NULL  -- for patience only; what fences a write is the epoch
) STRICT;

-- One message: one content, however many copies were seen. A mail of which nothing may be kept has no row here.
CREATE TABLE message (
  no                  INTEGER PRIMARY KEY, -- `message_no` in other tables; rises with the commits
  scope               INTEGER NOT NULL REFERENCES scope (id),
  uid                 BLOB NOT NULL,       -- derived from the scope and the fast key of the first copy
  fast_key            BLOB NOT NULL,
  original_digest     BLOB NOT NULL,
  canonical           BLOB,
  size                INTEGER NOT NULL,    -- bytes
  message_id          TEXT,                -- without angle brackets
  message_id_hash     INTEGER,             -- the first 8 bytes of its BLAKE3 hash, little endian
  message_id_conflict INTEGER NOT NULL DEFAULT 0, -- 1: another message has the same Message-ID
  "references"        TEXT NOT NULL,       -- In-Reply-To and References, oldest first
  subject             TEXT NOT NULL,
  sent                INTEGER,
  received            INTEGER,
  sensitivity         TEXT NOT NULL,
  class               TEXT NOT NULL,
  authenticity        TEXT NOT NULL,
  flags               TEXT NOT NULL,
  web_link            TEXT,
  index_state         TEXT NOT NULL,       -- none (no original), waiting, done
  logged_at           INTEGER NOT NULL,
  UNIQUE (scope, uid)
) STRICT;
CREATE INDEX message_by_message_id ON message (scope, message_id_hash) WHERE message_id IS NOT NULL;
CREATE INDEX message_to_index ON message (scope, no) WHERE index_state = 'waiting';

-- Everybody whom a message names, in the order of the message. The address is in its normalised form.
CREATE TABLE participant (
  no         INTEGER PRIMARY KEY, -- message_no * 65536 + position
  scope      INTEGER NOT NULL,
  message_no INTEGER NOT NULL REFERENCES message (no),
  role       TEXT NOT NULL, -- from, sender, reply-to, to, cc, bcc
  address    TEXT NOT NULL,
  name       TEXT
) STRICT;
CREATE INDEX participant_by_address ON participant (scope, address, message_no);

-- The original of a message, bit for bit, in pieces. A row without message is staged: swept when its mailbox is taken again.
CREATE TABLE original (
  no         INTEGER PRIMARY KEY,
  scope      INTEGER NOT NULL REFERENCES scope (id),
  message_no INTEGER REFERENCES message (no),
  stage      BLOB, -- the id under which it is staged
  mailbox    INTEGER REFERENCES mailbox (id), -- the mailbox that stages it
  size       INTEGER NOT NULL,
  pieces     INTEGER NOT NULL,
  digest     BLOB,
  UNIQUE (scope, message_no),
  UNIQUE (scope, stage)
) STRICT;
CREATE INDEX original_staged ON original (mailbox) WHERE stage IS NOT NULL;

-- The pieces. The piece `i` of the original `no` has the id no * 4096 + i.
CREATE TABLE original_chunk (
  id    INTEGER PRIMARY KEY,
  start INTEGER NOT NULL, -- the offset of its first byte in the original
  size  INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

-- One copy of a mail in one folder, by the key that survives a move.
CREATE TABLE sighting (
  no          INTEGER PRIMARY KEY,
  scope       INTEGER NOT NULL REFERENCES scope (id),
  mailbox     INTEGER NOT NULL REFERENCES mailbox (id),
  key         BLOB NOT NULL, -- 's' and PR_SEARCH_KEY, 'i' and an immutable id, 'd' and a digest
  state       TEXT NOT NULL, -- pending, decided, quarantined
  item_id     TEXT NOT NULL, -- the last known place
  change_key  TEXT,
  received    INTEGER,
  size        INTEGER,
  message_no  INTEGER REFERENCES message (no), -- null where nothing may be kept
  disposition TEXT,          -- storage, not-logged, quarantine, leave, delete
  attempts    INTEGER NOT NULL DEFAULT 0, -- failed ones
  next_try    INTEGER,
  code        TEXT,          -- the error of the last failed attempt
  seen_at     INTEGER NOT NULL,
  UNIQUE (mailbox, key)
) STRICT;
CREATE INDEX sighting_by_message ON sighting (message_no) WHERE message_no IS NOT NULL;

-- The decision of a sighting: exactly one, with its trace.
CREATE TABLE decision (
  no          INTEGER PRIMARY KEY,
  scope       INTEGER NOT NULL REFERENCES scope (id),
  sighting_no INTEGER NOT NULL UNIQUE REFERENCES sighting (no),
  message_no  INTEGER REFERENCES message (no),
  outcome     TEXT NOT NULL, -- logged, already-logged, not-matched, excluded, quarantined
  reason      TEXT NOT NULL, -- empty for a logged mail
  disposition TEXT NOT NULL,
  steps       TEXT NOT NULL, -- [{"stage", "rule", "verdict", "detail"}]
  flags       TEXT NOT NULL,
  policy      TEXT NOT NULL,
  decided_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX decision_by_date ON decision (scope, decided_at, no);
CREATE INDEX decision_by_outcome ON decision (scope, outcome, decided_at, no);
CREATE INDEX decision_by_message ON decision (message_no) WHERE message_no IS NOT NULL;

-- Moves that a commit planned and that have no result yet. A result removes the row.
CREATE TABLE pending_move (
  no          INTEGER PRIMARY KEY,
  scope       INTEGER NOT NULL REFERENCES scope (id),
  mailbox     INTEGER NOT NULL REFERENCES mailbox (id),
  sighting_no INTEGER NOT NULL REFERENCES sighting (no),
  item_id     TEXT NOT NULL,
  change_key  TEXT,
  target      TEXT NOT NULL, -- storage, not-logged, quarantine, delete
  attempts    INTEGER NOT NULL DEFAULT 0,
  next_try    INTEGER,
  code        TEXT,          -- the error of the last failed attempt
  planned_at  INTEGER NOT NULL,
  UNIQUE (sighting_no, item_id)
) STRICT;
CREATE INDEX pending_move_by_plan ON pending_move (mailbox, planned_at);

-- The interaction log: one message, one contact, one salesperson, one direction. Two unique keys keep a second entry out.
CREATE TABLE entry (
  no                        INTEGER PRIMARY KEY,
  scope                     INTEGER NOT NULL REFERENCES scope (id),
  id                        BLOB NOT NULL,
  entry_no                  INTEGER NOT NULL, -- for people
  message_no                INTEGER NOT NULL REFERENCES message (no),
  contact_no                TEXT NOT NULL,
  contact_company_no        TEXT,
  contact_alt_address_code  TEXT,
  contact_name              TEXT NOT NULL,
  salesperson_code          TEXT NOT NULL,
  salesperson_name          TEXT NOT NULL,
  information_flow          TEXT NOT NULL, -- outbound, inbound
  initiated_by              TEXT NOT NULL, -- us, them
  date                      INTEGER NOT NULL,
  description               TEXT NOT NULL,
  interaction_template_code TEXT NOT NULL,
  interaction_group_code    TEXT NOT NULL,
  interaction_language_code TEXT,
  cost                      REAL NOT NULL, -- in the company's currency
  duration_min              REAL NOT NULL,
  campaign_no               TEXT,
  occurrence                INTEGER NOT NULL,
  flags                     TEXT NOT NULL,
  fields                    TEXT NOT NULL, -- a JSON object of what a host's hook added
  logged_at                 INTEGER NOT NULL,
  canceled                  INTEGER NOT NULL DEFAULT 0,
  evaluation                INTEGER CHECK (evaluation BETWEEN 1 AND 5),
  opportunity_no            TEXT,
  host_reference            TEXT,
  delivery                  TEXT NOT NULL, -- none, waiting, done: the host's own log
  UNIQUE (scope, id),
  UNIQUE (scope, entry_no)
) STRICT;
CREATE UNIQUE INDEX entry_once
  ON entry (message_no, contact_no, salesperson_code, information_flow, occurrence);
CREATE INDEX entry_by_date ON entry (scope, date, entry_no);
CREATE INDEX entry_by_contact ON entry (scope, contact_no, date, entry_no);
CREATE INDEX entry_by_company
  ON entry (scope, coalesce(contact_company_no, contact_no), date, entry_no);
CREATE INDEX entry_by_salesperson ON entry (scope, salesperson_code, date, entry_no);
CREATE INDEX entry_to_deliver ON entry (scope, message_no) WHERE delivery = 'waiting';

-- What people say about an entry, in the order they said it.
CREATE TABLE entry_comment (
  no       INTEGER PRIMARY KEY,
  scope    INTEGER NOT NULL REFERENCES scope (id),
  entry_id BLOB NOT NULL,
  at       INTEGER NOT NULL,
  author   TEXT NOT NULL,
  text     TEXT NOT NULL,
  FOREIGN KEY (scope, entry_id) REFERENCES entry (scope, id)
) STRICT;
CREATE INDEX entry_comment_by_entry ON entry_comment (scope, entry_id, no);

-- The second look at a message: its readable text and its attachments.
CREATE TABLE content (
  message_no  INTEGER PRIMARY KEY REFERENCES message (no),
  text        TEXT,
  attachments TEXT NOT NULL, -- [{"name", "media_type", "size", "content_id", "inline"}]
  flags       TEXT NOT NULL,
  indexed_at  INTEGER NOT NULL
) STRICT;

-- The words of a message; rowid is message.no. Subject and participants come with the commit, the body with the second look.
CREATE VIRTUAL TABLE search USING fts5 (
  subject, participants, body,
  content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

-- What happened, numbered without a gap per scope. Ids and codes only.
CREATE TABLE event (
  no         INTEGER PRIMARY KEY,
  scope      INTEGER NOT NULL REFERENCES scope (id),
  number     INTEGER NOT NULL,
  id         BLOB NOT NULL,
  at         INTEGER NOT NULL,
  mailbox    INTEGER NOT NULL REFERENCES mailbox (id),
  kind       TEXT NOT NULL, -- logged, not-matched, excluded, quarantined, vanished, duplicate-copy
  message_no INTEGER REFERENCES message (no),
  entries    BLOB NOT NULL, -- the ids of the entries, 16 bytes each
  reason     TEXT NOT NULL,
  UNIQUE (scope, number)
) STRICT;

-- How far each consumer has acknowledged.
CREATE TABLE event_cursor (
  scope    INTEGER NOT NULL REFERENCES scope (id),
  consumer TEXT NOT NULL,
  number   INTEGER NOT NULL,
  PRIMARY KEY (scope, consumer)
) STRICT, WITHOUT ROWID;

-- The set-up: its version, and one row per field that has a value. It holds no secret.
CREATE TABLE setup (
  scope      INTEGER PRIMARY KEY REFERENCES scope (id),
  version    INTEGER NOT NULL, -- from 1; a change must name the one it saw
  changed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE setup_field (
  scope INTEGER NOT NULL REFERENCES setup (scope),
  name  TEXT NOT NULL, -- as in TOML: enabled, queue-folder, ...
  value TEXT NOT NULL, -- a folder is a JSON array of its root and its segments
  PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- Secrets, each in an envelope: the value under a key of its own, and that key under the host's.
CREATE TABLE secret (
  scope       INTEGER NOT NULL REFERENCES scope (id),
  name        TEXT NOT NULL,
  version     INTEGER NOT NULL,
  key_id      TEXT NOT NULL, -- which key of the host
  wrapped_key BLOB NOT NULL,
  nonce       BLOB NOT NULL,
  ciphertext  BLOB NOT NULL,
  changed_at  INTEGER NOT NULL,
  PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;
