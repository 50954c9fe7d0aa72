-- Opportunities. Money is a whole number of ten-thousandths of the company's currency, a percentage one of hundredths of a
-- per cent, a day a text such as 2026-05-14.
CREATE TABLE opportunity (
  id                 INTEGER PRIMARY KEY,
  scope              INTEGER NOT NULL REFERENCES scope (id),
  no                 TEXT NOT NULL, -- of the number series
  version            INTEGER NOT NULL, -- from 1; a change must name the one it saw
  description        TEXT NOT NULL,
  creation_date      TEXT NOT NULL,
  status             TEXT NOT NULL, -- not-started, in-progress, won, lost
  date_closed        TEXT,
  salesperson_code   TEXT,
  contact_no         TEXT NOT NULL,
  contact_company_no TEXT,
  campaign_no        TEXT,
  sales_cycle_code   TEXT,
  quote_no           TEXT, -- the sales quote that is assigned
  quote_value        INTEGER,
  UNIQUE (scope, no)
) STRICT;
CREATE UNIQUE INDEX opportunity_by_quote ON opportunity (scope, quote_no)
  WHERE quote_no IS NOT NULL;
CREATE INDEX opportunity_by_contact ON opportunity (scope, contact_no, id);
CREATE INDEX opportunity_by_company
  ON opportunity (scope, coalesce(contact_company_no, contact_no), id);
CREATE INDEX opportunity_by_salesperson ON opportunity (scope, salesperson_code, id);

-- The history; exactly one entry of an opportunity that has started is active.
CREATE TABLE opportunity_entry (
  opportunity          INTEGER NOT NULL REFERENCES opportunity (id),
  no                   INTEGER NOT NULL, -- from 1
  action_taken         TEXT NOT NULL, -- first, next, previous, skipped, jumped, updated, won, lost
  sales_cycle_code     TEXT NOT NULL,
  stage                INTEGER NOT NULL,
  previous_stage       INTEGER,
  date_of_change       TEXT NOT NULL,
  active               INTEGER NOT NULL,
  days_open            INTEGER NOT NULL, -- 0 while it is active
  estimated_value      INTEGER NOT NULL,
  estimated_close_date TEXT NOT NULL,
  chance               INTEGER NOT NULL,
  completed            INTEGER NOT NULL,
  probability          INTEGER NOT NULL,
  calculated_value     INTEGER NOT NULL, -- of a won one what was sold
  close_code           TEXT,
  salesperson_code     TEXT,
  contact_no           TEXT NOT NULL,
  contact_company_no   TEXT,
  campaign_no          TEXT,
  PRIMARY KEY (opportunity, no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX opportunity_entry_active ON opportunity_entry (opportunity) WHERE active = 1;

CREATE TABLE opportunity_comment (
  opportunity INTEGER NOT NULL REFERENCES opportunity (id),
  no          INTEGER NOT NULL, -- from 1
  at          INTEGER NOT NULL,
  author      TEXT NOT NULL,
  text        TEXT NOT NULL,
  PRIMARY KEY (opportunity, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE opportunity_task (
  opportunity      INTEGER NOT NULL REFERENCES opportunity (id),
  no               INTEGER NOT NULL, -- from 1
  stage            INTEGER NOT NULL, -- the one that asked for it
  kind             TEXT NOT NULL, -- other, meeting, phone-call
  description      TEXT NOT NULL,
  date             TEXT NOT NULL,
  status           TEXT NOT NULL, -- open, done, canceled
  salesperson_code TEXT,
  contact_no       TEXT NOT NULL,
  PRIMARY KEY (opportunity, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE sales_cycle (
  scope       INTEGER NOT NULL REFERENCES scope (id),
  code        TEXT NOT NULL,
  description TEXT NOT NULL,
  probability TEXT NOT NULL, -- multiply, add, chances, completed
  blocked     INTEGER NOT NULL,
  stages      TEXT NOT NULL, -- a JSON array by rising stage, percentages as numbers
  PRIMARY KEY (scope, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE close_code (
  scope       INTEGER NOT NULL REFERENCES scope (id),
  code        TEXT NOT NULL,
  description TEXT NOT NULL,
  kind        TEXT NOT NULL, -- won, lost
  PRIMARY KEY (scope, code)
) STRICT, WITHOUT ROWID;

-- What opportunities are made with, one row per scope.
CREATE TABLE opportunity_setup (
  scope               INTEGER PRIMARY KEY REFERENCES scope (id),
  series_code         TEXT,
  series_next         TEXT, -- the number that the next one gets
  default_sales_cycle TEXT
) STRICT;

