-- The words of a message, folded by the writer, with a space before and after each: for engines without tsvector. A search
-- reads every row. Subject and participants come with the commit, the body with the second look.
CREATE TABLE search (
  message_no bigint PRIMARY KEY REFERENCES message (no),
  words      text NOT NULL
);
