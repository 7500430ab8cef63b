-- What is kept of a file is one document, and rows only for what is looked up across files. What version 1 held is made
-- anew from the tree: the next run finds no file known.

DROP TABLE sources;
DROP TABLE symbols;
DROP TABLE chunks;
DROP TABLE embeddings;
DROP TABLE terms;
DROP TABLE lexical_terms;
DROP TABLE lexical;
DELETE FROM files;
UPDATE meta SET value = 'false' WHERE key = 'complete';

-- The source, definitions, mentions and chunks of a file, in the form of `document.rs`.
CREATE TABLE documents (
    file_id INTEGER PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;

-- One row a definition, for those who look for its name. The id packs that of the file (high bits) and its place in the
-- document's list (low 20 bits), so everything of a file is one range of rowids.
CREATE TABLE symbols (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL
) STRICT;

CREATE INDEX symbols_by_name ON symbols (name COLLATE NOCASE);

-- The vectors of a file's chunks, in order, a byte a value in the form of `vectors.rs`; and of each chunk the kind of the
-- definition it is about, in the form of `kinds.rs`.
CREATE TABLE vectors (
    file_id INTEGER PRIMARY KEY,
    kinds BLOB NOT NULL,
    codes BLOB NOT NULL
) STRICT;

-- The lexical index: pages of ast-core-lexical, by their names. Page 0 says what the others are.
CREATE TABLE lexical_pages (
    id INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;
