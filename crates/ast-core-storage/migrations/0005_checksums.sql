-- SQLite does not notice when a bit of a row flips: the checksum of `checksum.rs` does, before the row is taken for an
-- answer. A row of before has none and is taken as it is, until its file changes.

ALTER TABLE files ADD COLUMN checksum INTEGER;
ALTER TABLE documents ADD COLUMN checksum INTEGER;
ALTER TABLE vectors ADD COLUMN checksum INTEGER;
