-- Until when the mail system wants to be left alone, and how long that was when it began: nobody takes the mailbox meanwhile.
ALTER TABLE lease ADD COLUMN quiet_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lease ADD COLUMN quiet_length INTEGER NOT NULL DEFAULT 0;
