-- What files define and mention is found by name in pages of its own, instead of in one row a definition. What version 2
-- held is made anew from the tree: the next run finds no file known.

DROP TABLE symbols;
DELETE FROM documents;
DELETE FROM vectors;
DELETE FROM lexical_pages;
DELETE FROM files;
UPDATE meta SET value = 'false' WHERE key = 'complete';

-- How many definitions its document has.
ALTER TABLE files ADD COLUMN symbols INTEGER NOT NULL DEFAULT 0;

-- The index of names: pages of ast-core-lexical, where a document is a file and a term is a name in it, in the fields of
-- `names.rs`.
CREATE TABLE name_pages (
    id INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;
