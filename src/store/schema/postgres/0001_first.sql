-- Every time is microseconds since 1970-01-01 00:00 UTC. Every id is a uuid, every digest a bytea of 32. Enums are short
-- text. Lists are JSON arrays. U+0000 never stands in a text. Text that is ordered is ordered by its bytes.

-- Numbers are taken from sequences before the rows are written. One that was not used after all stays free.
CREATE SEQUENCE scope_id;
CREATE SEQUENCE mailbox_id;
CREATE SEQUENCE message_no;
CREATE SEQUENCE original_no;
CREATE SEQUENCE sighting_no;
CREATE SEQUENCE decision_no;
CREATE SEQUENCE pending_move_no;
CREATE SEQUENCE entry_row_no;
CREATE SEQUENCE entry_comment_no;
CREATE SEQUENCE event_no;

-- Whose rows they are. `scope` in every other table is this id. Who holds the lock of this row numbers entries and events.
CREATE TABLE scope (
  id            bigint PRIMARY KEY DEFAULT nextval('scope_id'),
  tenant        text COLLATE "C" NOT NULL,
  company       text COLLATE "C" NOT NULL,
  last_entry_no bigint NOT NULL DEFAULT 0, -- the highest entry_no ever given
  last_event_no bigint NOT NULL DEFAULT 0, -- the highest event number ever given
  UNIQUE (tenant, company)
);

-- The mailboxes and public-folder queues of a scope, by the host's name. `mailbox` in other tables is this id.
CREATE TABLE mailbox (
  id    bigint PRIMARY KEY DEFAULT nextval('mailbox_id'),
  scope bigint NOT NULL REFERENCES scope (id),
  key   text COLLATE "C" NOT NULL,
  UNIQUE (scope, key)
);

-- Who works on a mailbox. A row is never removed: its epoch only rises.
CREATE TABLE lease (
  mailbox bigint PRIMARY KEY REFERENCES mailbox (id),
  scope   bigint NOT NULL REFERENCES scope (id),
  holder  text NOT NULL,   -- empty: given back
  epoch   bigint NOT NULL,
  until   bigint NOT NULL  -- for patience only; what fences a write is the epoch
);

-- One message: one content, however many copies were seen. A mail of which nothing may be kept has no row here.
CREATE TABLE message (
  no                  bigint PRIMARY KEY,  -- `message_no` in other tables; rises with the commits of a scope
  scope               bigint NOT NULL REFERENCES scope (id),
  uid                 uuid NOT NULL,       -- derived from the scope and the fast key of the first copy
  fast_key            bytea NOT NULL,
  original_digest     bytea NOT NULL,
  canonical           bytea,
  size                bigint NOT NULL,     -- bytes
  message_id          text,                -- without angle brackets
  message_id_hash     bigint,              -- the first 8 bytes of its BLAKE3 hash, little endian
  message_id_conflict boolean NOT NULL DEFAULT false, -- another message has the same Message-ID
  "references"        jsonb NOT NULL,      -- In-Reply-To and References, oldest first
  subject             text NOT NULL,
  sent                bigint,
  received            bigint,
  sensitivity         text NOT NULL,
  class               text NOT NULL,
  authenticity        text NOT NULL,
  flags               jsonb NOT NULL,
  web_link            text,
  index_state         text NOT NULL,       -- none (no original), waiting, done
  logged_at           bigint NOT NULL,
  UNIQUE (scope, uid)
);
CREATE INDEX message_by_message_id ON message (scope, message_id_hash) WHERE message_id IS NOT NULL;
CREATE INDEX message_to_index ON message (scope, no) WHERE index_state = 'waiting';

-- Everybody whom a message names, in the order of the message. The address is in its normalised form.
CREATE TABLE participant (
  no         bigint PRIMARY KEY, -- message_no * 65536 + position
  scope      bigint NOT NULL,
  message_no bigint NOT NULL REFERENCES message (no),
  role       text NOT NULL, -- from, sender, reply-to, to, cc, bcc
  address    text COLLATE "C" NOT NULL,
  name       text
);
CREATE INDEX participant_by_address ON participant (scope, address, message_no);

-- The original of a message, bit for bit, in pieces. A row without message is staged: swept when its mailbox is taken again.
CREATE TABLE original (
  no         bigint PRIMARY KEY,
  scope      bigint NOT NULL REFERENCES scope (id),
  message_no bigint REFERENCES message (no),
  stage      uuid,   -- the id under which it is staged
  mailbox    bigint REFERENCES mailbox (id), -- the mailbox that stages it
  size       bigint NOT NULL,
  pieces     bigint NOT NULL,
  digest     bytea,
  UNIQUE (scope, message_no),
  UNIQUE (scope, stage)
);
CREATE INDEX original_staged ON original (mailbox) WHERE stage IS NOT NULL;

-- The pieces. The piece `i` of the original `no` has the id no * 4096 + i.
CREATE TABLE original_chunk (
  id    bigint PRIMARY KEY,
  start bigint NOT NULL, -- the offset of its first byte in the original
  size  bigint NOT NULL,
  bytes bytea NOT NULL
);

-- One copy of a mail in one folder, by the key that survives a move.
CREATE TABLE sighting (
  no          bigint PRIMARY KEY,
  scope       bigint NOT NULL REFERENCES scope (id),
  mailbox     bigint NOT NULL REFERENCES mailbox (id),
  key         bytea NOT NULL, -- 's' and PR_SEARCH_KEY, 'i' and an immutable id, 'd' and a digest
  state       text NOT NULL,  -- pending, decided, quarantined
  item_id     text COLLATE "C" NOT NULL, -- the last known place
  change_key  text,
  received    bigint,
  size        bigint,
  message_no  bigint REFERENCES message (no), -- null where nothing may be kept
  disposition text,           -- storage, not-logged, quarantine, leave, delete
  attempts    bigint NOT NULL DEFAULT 0, -- failed ones
  next_try    bigint,
  code        text,           -- the error of the last failed attempt
  seen_at     bigint NOT NULL,
  UNIQUE (mailbox, key)
);
CREATE INDEX sighting_by_message ON sighting (message_no) WHERE message_no IS NOT NULL;

-- The decision of a sighting: exactly one, with its trace.
CREATE TABLE decision (
  no          bigint PRIMARY KEY DEFAULT nextval('decision_no'),
  scope       bigint NOT NULL REFERENCES scope (id),
  sighting_no bigint NOT NULL UNIQUE REFERENCES sighting (no),
  message_no  bigint REFERENCES message (no),
  outcome     text NOT NULL, -- logged, already-logged, not-matched, excluded, quarantined
  reason      text NOT NULL, -- empty for a logged mail
  disposition text NOT NULL,
  steps       jsonb NOT NULL, -- [{"stage", "rule", "verdict", "detail"}]
  flags       jsonb NOT NULL,
  policy      text NOT NULL,
  decided_at  bigint NOT NULL
);
CREATE INDEX decision_by_date ON decision (scope, decided_at, no);
CREATE INDEX decision_by_outcome ON decision (scope, outcome, decided_at, no);
CREATE INDEX decision_by_message ON decision (message_no) WHERE message_no IS NOT NULL;

-- Moves that a commit planned and that have no result yet. A result removes the row.
CREATE TABLE pending_move (
  no          bigint PRIMARY KEY DEFAULT nextval('pending_move_no'),
  scope       bigint NOT NULL REFERENCES scope (id),
  mailbox     bigint NOT NULL REFERENCES mailbox (id),
  sighting_no bigint NOT NULL REFERENCES sighting (no),
  item_id     text COLLATE "C" NOT NULL,
  change_key  text,
  target      text NOT NULL, -- storage, not-logged, quarantine, delete
  attempts    bigint NOT NULL DEFAULT 0,
  next_try    bigint,
  code        text,          -- the error of the last failed attempt
  planned_at  bigint NOT NULL,
  UNIQUE (sighting_no, item_id)
);
CREATE INDEX pending_move_by_plan ON pending_move (mailbox, planned_at, item_id);

-- The interaction log: one message, one contact, one salesperson, one direction. Two unique keys keep a second entry out.
CREATE TABLE entry (
  no                        bigint PRIMARY KEY DEFAULT nextval('entry_row_no'),
  scope                     bigint NOT NULL REFERENCES scope (id),
  id                        uuid NOT NULL,
  entry_no                  bigint NOT NULL, -- for people
  message_no                bigint NOT NULL REFERENCES message (no),
  contact_no                text COLLATE "C" NOT NULL,
  contact_company_no        text COLLATE "C",
  contact_alt_address_code  text,
  contact_name              text NOT NULL,
  salesperson_code          text COLLATE "C" NOT NULL,
  salesperson_name          text NOT NULL,
  information_flow          text NOT NULL, -- outbound, inbound
  initiated_by              text NOT NULL, -- us, them
  date                      bigint NOT NULL,
  description               text NOT NULL,
  interaction_template_code text NOT NULL,
  interaction_group_code    text NOT NULL,
  interaction_language_code text,
  cost                      double precision NOT NULL, -- in the company's currency
  duration_min              double precision NOT NULL,
  campaign_no               text,
  occurrence                bigint NOT NULL,
  flags                     jsonb NOT NULL,
  fields                    jsonb NOT NULL, -- a JSON object of what a host's hook added
  logged_at                 bigint NOT NULL,
  canceled                  boolean NOT NULL DEFAULT false,
  evaluation                smallint CHECK (evaluation BETWEEN 1 AND 5),
  opportunity_no            text,
  host_reference            text,
  delivery                  text NOT NULL, -- none, waiting, done: the host's own log
  UNIQUE (scope, id),
  UNIQUE (scope, entry_no)
);
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
  no       bigint PRIMARY KEY DEFAULT nextval('entry_comment_no'),
  scope    bigint NOT NULL REFERENCES scope (id),
  entry_id uuid NOT NULL,
  at       bigint NOT NULL,
  author   text NOT NULL,
  text     text NOT NULL,
  FOREIGN KEY (scope, entry_id) REFERENCES entry (scope, id)
);
CREATE INDEX entry_comment_by_entry ON entry_comment (scope, entry_id, no);

-- The second look at a message: its readable text and its attachments.
CREATE TABLE content (
  message_no  bigint PRIMARY KEY REFERENCES message (no),
  text        text,
  attachments jsonb NOT NULL, -- [{"name", "media_type", "size", "content_id", "inline"}]
  flags       jsonb NOT NULL,
  indexed_at  bigint NOT NULL
);

-- What happened, numbered without a gap per scope. Ids and codes only.
CREATE TABLE event (
  no         bigint PRIMARY KEY DEFAULT nextval('event_no'),
  scope      bigint NOT NULL REFERENCES scope (id),
  number     bigint NOT NULL,
  id         uuid NOT NULL,
  at         bigint NOT NULL,
  mailbox    bigint NOT NULL REFERENCES mailbox (id),
  kind       text NOT NULL, -- logged, not-matched, excluded, quarantined, vanished, duplicate-copy
  message_no bigint REFERENCES message (no),
  entries    bytea NOT NULL, -- the ids of the entries, 16 bytes each
  reason     text NOT NULL,
  UNIQUE (scope, number)
);

-- How far each consumer has acknowledged.
CREATE TABLE event_cursor (
  scope    bigint NOT NULL REFERENCES scope (id),
  consumer text COLLATE "C" NOT NULL,
  number   bigint NOT NULL,
  PRIMARY KEY (scope, consumer)
);

-- The set-up: its version, and one row per field that has a value. It holds no secret.
CREATE TABLE setup (
  scope      bigint PRIMARY KEY REFERENCES scope (id),
  version    bigint NOT NULL, -- from 1; a change must name the one it saw
  changed_at bigint NOT NULL
);
CREATE TABLE setup_field (
  scope bigint NOT NULL REFERENCES setup (scope),
  name  text COLLATE "C" NOT NULL, -- as in TOML: enabled, queue-folder, ...
  value text NOT NULL, -- a folder is a JSON array of its root and its segments
  PRIMARY KEY (scope, name)
);

-- Secrets, each in an envelope: the value under a key of its own, and that key under the host's. A negative version: erased.
CREATE TABLE secret (
  scope       bigint NOT NULL REFERENCES scope (id),
  name        text COLLATE "C" NOT NULL,
  version     bigint NOT NULL,
  key_id      text NOT NULL, -- which key of the host
  wrapped_key bytea NOT NULL,
  nonce       bytea NOT NULL,
  ciphertext  bytea NOT NULL,
  changed_at  bigint NOT NULL,
  PRIMARY KEY (scope, name)
);
