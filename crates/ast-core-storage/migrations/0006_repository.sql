-- Which repository the store is of, 128 random bits; and the number of the last writer that opened it, which the next
-- raises, so that one that goes on without the lock is told from it.
INSERT INTO meta (key, value) VALUES ('repository', lower(hex(randomblob(16)))), ('writer', '0');
