-- When things happened in the running time of a study, and whether its search is over.

ALTER TABLE events ADD COLUMN elapsed_seconds DOUBLE;
UPDATE events SET elapsed_seconds = TRY_CAST(body->>'elapsed_seconds' AS DOUBLE)
WHERE type IN ('decision_made', 'search_ended');

ALTER TABLE studies ADD COLUMN search_end VARCHAR;

ALTER TABLE trials ADD COLUMN elapsed_seconds DOUBLE;

-- Every study is folded again from its events.
DELETE FROM leaders;
UPDATE studies SET view_name = NULL;
