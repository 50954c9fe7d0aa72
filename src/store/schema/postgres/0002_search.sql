-- The words of a message, folded by the writer. Subject and participants come with the commit, the body with the second look.
CREATE TABLE search (
  message_no bigint PRIMARY KEY REFERENCES message (no),
  words      tsvector NOT NULL
);
CREATE INDEX search_by_word ON search USING gin (words);
