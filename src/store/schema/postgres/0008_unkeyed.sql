-- A mail without a key that survives a move is known by a digest of its content; until it is read again, by where it lies.
CREATE INDEX sighting_unkeyed ON sighting (mailbox, item_id) WHERE key >= '\x64' AND key < '\x65';
