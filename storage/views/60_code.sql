-- What the code of each run was made of.

CREATE OR REPLACE VIEW code_parts AS
SELECT c.study, c.run, c.part->>'$.kind' AS kind, c.part->>'$.name' AS name, c.part->>'$.value' AS value, c.started_at
FROM (
    SELECT e.study, e.body->>'$.run' AS run, unnest(from_json(e.body->'$.code.parts', '["JSON"]')) AS part, e.written_at AS started_at
    FROM events AS e WHERE e.type = 'run_started' AND e.body->>'$.code' IS NOT NULL
) AS c;
COMMENT ON VIEW code_parts IS 'What the code of each run was made of; a result is used again where all of it is equal. Example: SELECT kind, name FROM code_parts WHERE study = ''digits'' GROUP BY ALL HAVING count(DISTINCT value) > 1;';
COMMENT ON COLUMN code_parts.study IS 'Name of the study.';
COMMENT ON COLUMN code_parts.run IS 'The run that trained with it.';
COMMENT ON COLUMN code_parts.kind IS 'pegbox (its own trainers), module (Python that was read), file, package (installed), environment (a variable), version (train.version) or processes (that train a trial together).';
COMMENT ON COLUMN code_parts.name IS 'Of the module, file, package or variable.';
COMMENT ON COLUMN code_parts.value IS 'A version, or a hash: of the meaning of Python, of the bytes of all else.';
COMMENT ON COLUMN code_parts.started_at IS 'When the run began.';
