-- What the rule of `schemas/competition.py` says of each trial and study, so that no query has a rule of its own.

ALTER TABLE trials ADD COLUMN competes BOOLEAN;
ALTER TABLE trials ADD COLUMN excluded_by VARCHAR;
ALTER TABLE trials ADD COLUMN loss DOUBLE;

ALTER TABLE studies ADD COLUMN rungs INTEGER[];
-- Its views are made again, with the new columns; a study without a row in `leaders` is folded again.
UPDATE studies SET view_name = NULL;

DROP VIEW IF EXISTS violations;
CREATE TABLE violations (
    study VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    value DOUBLE,
    lowest DOUBLE,
    highest DOUBLE,
    violation DOUBLE
);

CREATE TABLE leaders (
    study VARCHAR NOT NULL,
    best INTEGER,
    best_value DOUBLE,
    is_selected BOOLEAN,
    incumbent INTEGER,
    incumbent_value DOUBLE,
    front INTEGER[]
);
