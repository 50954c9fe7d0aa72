-- How long a lease was when it was taken or renewed: a clock that is set back makes none longer. A day for those of before.
ALTER TABLE lease ADD COLUMN length bigint NOT NULL DEFAULT 86400000000;
