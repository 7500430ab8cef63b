-- Index runs that were asked for, one row each; the oldest that are over go as new ones come. What a job still has to do
-- follows from the tree and from `files`: only paths that were named are kept, in the form of `jobs.rs`, as is what was
-- done so far. Times are nanoseconds since 1970.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    root TEXT NOT NULL,
    paths BLOB,
    rebuild INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    started_ns INTEGER,
    finished_ns INTEGER,
    error TEXT,
    progress BLOB NOT NULL
) STRICT;
