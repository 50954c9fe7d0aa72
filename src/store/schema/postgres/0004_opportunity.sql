-- Opportunities. Money is a whole number of ten-thousandths of the company's currency, a percentage one of hundredths of a
-- per cent, a day a text such as 2026-05-14.
CREATE TABLE opportunity (
  id                 bigserial PRIMARY KEY,
  scope              bigint NOT NULL REFERENCES scope (id),
  no                 text COLLATE "C" NOT NULL, -- of the number series
  version            bigint NOT NULL, -- from 1; a change must name the one it saw
  description        text NOT NULL,
  creation_date      text NOT NULL,
  status             text NOT NULL, -- not-started, in-progress, won, lost
  date_closed        text,
  salesperson_code   text COLLATE "C",
  contact_no         text COLLATE "C" NOT NULL,
  contact_company_no text COLLATE "C",
  campaign_no        text COLLATE "C",
  sales_cycle_code   text COLLATE "C",
  quote_no           text COLLATE "C", -- the sales quote that is assigned
  quote_value        bigint,
  UNIQUE (scope, no)
);
CREATE UNIQUE INDEX opportunity_by_quote ON opportunity (scope, quote_no)
  WHERE quote_no IS NOT NULL;
CREATE INDEX opportunity_by_contact ON opportunity (scope, contact_no, id);
CREATE INDEX opportunity_by_company
  ON opportunity (scope, coalesce(contact_company_no, contact_no), id);
CREATE INDEX opportunity_by_salesperson ON opportunity (scope, salesperson_code, id);

-- The history; exactly one entry of an opportunity that has started is active.
CREATE TABLE opportunity_entry (
  opportunity          bigint NOT NULL REFERENCES opportunity (id),
  no                   bigint NOT NULL, -- from 1
  action_taken         text NOT NULL, -- first, next, previous, skipped, jumped, updated, won, lost
  sales_cycle_code     text COLLATE "C" NOT NULL,
  stage                bigint NOT NULL,
  previous_stage       bigint,
  date_of_change       text NOT NULL,
  active               bigint NOT NULL,
  days_open            bigint NOT NULL, -- 0 while it is active
  estimated_value      bigint NOT NULL,
  estimated_close_date text NOT NULL,
  chance               bigint NOT NULL,
  completed            bigint NOT NULL,
  probability          bigint NOT NULL,
  calculated_value     bigint NOT NULL, -- of a won one what was sold
  close_code           text,
  salesperson_code     text COLLATE "C",
  contact_no           text COLLATE "C" NOT NULL,
  contact_company_no   text COLLATE "C",
  campaign_no          text COLLATE "C",
  PRIMARY KEY (opportunity, no)
);
CREATE UNIQUE INDEX opportunity_entry_active ON opportunity_entry (opportunity) WHERE active = 1;

CREATE TABLE opportunity_comment (
  opportunity bigint NOT NULL REFERENCES opportunity (id),
  no          bigint NOT NULL, -- from 1
  at          bigint NOT NULL,
  author      text NOT NULL,
  text        text NOT NULL,
  PRIMARY KEY (opportunity, no)
);

CREATE TABLE opportunity_task (
  opportunity      bigint NOT NULL REFERENCES opportunity (id),
  no               bigint NOT NULL, -- from 1
  stage            bigint NOT NULL, -- the one that asked for it
  kind             text NOT NULL, -- other, meeting, phone-call
  description      text NOT NULL,
  date             text NOT NULL,
  status           text NOT NULL, -- open, done, canceled
  salesperson_code text COLLATE "C",
  contact_no       text COLLATE "C" NOT NULL,
  PRIMARY KEY (opportunity, no)
);

CREATE TABLE sales_cycle (
  scope       bigint NOT NULL REFERENCES scope (id),
  code        text COLLATE "C" NOT NULL,
  description text NOT NULL,
  probability text NOT NULL, -- multiply, add, chances, completed
  blocked     bigint NOT NULL,
  stages      text NOT NULL, -- a JSON array by rising stage, percentages as numbers
  PRIMARY KEY (scope, code)
);

CREATE TABLE close_code (
  scope       bigint NOT NULL REFERENCES scope (id),
  code        text COLLATE "C" NOT NULL,
  description text NOT NULL,
  kind        text NOT NULL, -- won, lost
  PRIMARY KEY (scope, code)
);

-- What opportunities are made with, one row per scope.
CREATE TABLE opportunity_setup (
  scope               bigint PRIMARY KEY REFERENCES scope (id),
  series_code         text,
  series_next         text, -- the number that the next one gets
  default_sales_cycle text
);

