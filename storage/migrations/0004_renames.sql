-- Which studies were given other names, and which of them are forgotten; events say so, and rows are moved by it.
CREATE TABLE renames (
    study VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    forgotten BOOLEAN NOT NULL,
    dropped BOOLEAN NOT NULL,
    renamed_at TIMESTAMPTZ NOT NULL
);
