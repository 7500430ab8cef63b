-- Documents are written in columns from now on, see `document/found.rs`, and those of before stay as they are: both are read.
-- The vectors of an embedder that is not costly are not kept, and codes are empty then. A program of before would take both
-- for damage, so it is told that the index is newer.

-- How many chunks its document has; NULL of a file of before, whose row in `vectors` tells.
ALTER TABLE files ADD COLUMN chunks INTEGER;
