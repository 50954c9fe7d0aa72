-- Whether an address was the company's own when its mail was read: a salesperson's, or in one of the company's domains.
ALTER TABLE participant ADD COLUMN own INTEGER NOT NULL DEFAULT 0;

-- Of mail that is there so much is known: whoever wrote an outbound mail is a salesperson.
UPDATE participant SET own = 1 WHERE address <> '' AND (scope, address) IN (
  SELECT p.scope, p.address FROM participant p JOIN entry e ON e.message_no = p.message_no
  WHERE p.role = 'from' AND e.information_flow = 'outbound');
