-- The index of one tree. Ids pack a file's id (high bits) and an ordinal in the file (low 20 bits), so everything of
-- a file is one range of rowids, and no table needs an index on the file.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a file that the index knows of, indexed or not. An id names one version of a file and is never reused.
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    language TEXT,
    status TEXT NOT NULL,
    detail TEXT,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    content_hash BLOB,
    lines INTEGER NOT NULL,
    syntax_errors INTEGER NOT NULL,
    generation INTEGER NOT NULL
) STRICT;

-- The bytes that were indexed, compressed with zstd: what a hit shows is what was found.
CREATE TABLE sources (
    file_id INTEGER PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;

CREATE TABLE symbols (
    id INTEGER PRIMARY KEY,
    parent INTEGER,
    name TEXT NOT NULL,
    qualifier TEXT,
    scope TEXT NOT NULL,
    kind TEXT NOT NULL,
    span_start INTEGER NOT NULL,
    span_end INTEGER NOT NULL,
    line_start INTEGER NOT NULL,
    line_end INTEGER NOT NULL,
    extent_start INTEGER NOT NULL,
    extent_end INTEGER NOT NULL,
    name_start INTEGER NOT NULL,
    name_end INTEGER NOT NULL,
    signature TEXT NOT NULL,
    doc TEXT,
    visibility TEXT
) STRICT;

-- The kind is that of the symbol, here as well so that a search for some kinds need not look at every symbol.
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    symbol INTEGER,
    kind TEXT,
    span_start INTEGER NOT NULL,
    span_end INTEGER NOT NULL,
    line_start INTEGER NOT NULL,
    line_end INTEGER NOT NULL,
    content_hash BLOB NOT NULL
) STRICT;

CREATE INDEX chunks_by_kind ON chunks (kind) WHERE kind IS NOT NULL;

-- The vectors of a file's chunks, in order: little-endian f32, one after the other.
CREATE TABLE embeddings (
    file_id INTEGER PRIMARY KEY,
    vectors BLOB NOT NULL
) STRICT;

-- The terms of a file's chunks, compressed with zstd: of each chunk the name, path, doc and body, each with a NUL after
-- it. An index row can only be removed with what it was made of.
CREATE TABLE terms (
    file_id INTEGER PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;

-- The index of the terms of each chunk; the rowid is the chunk's id. Texts come in cut and normalised, separated by
-- spaces. Two options look as if made for it, and bm25() is wrong with them: with `detail = 'column'` it is always 0,
-- and with `contentless_delete = 1` it counts the rows that are gone.
CREATE VIRTUAL TABLE lexical USING fts5 (name, path, doc, body, content = '', tokenize = 'ascii');

-- In how many chunks each term is.
CREATE VIRTUAL TABLE lexical_terms USING fts5vocab (lexical, row);

-- Fewer, larger segments while much is written.
INSERT INTO lexical (lexical, rank) VALUES ('hashsize', 16777216);
