-- Which texts each file may have in it: the signature of its source, in the form of `trigrams.rs` in ast-core-lexical. It has
-- a row for each row of `documents`; those of before are made when this runs.
CREATE TABLE signatures (
    file_id INTEGER PRIMARY KEY,
    bits BLOB NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;
