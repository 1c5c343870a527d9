-- Remembers which views and macros the database holds; they are made again whenever their text changes.

CREATE TABLE schema_views (checksum VARCHAR NOT NULL);
