-- What people noted about studies and trials.

CREATE OR REPLACE VIEW notes AS
SELECT e.study, e.trial, coalesce(e.body->>'text', '') AS text,
    coalesce(from_json(e.body->'tags', '["VARCHAR"]'), []) AS tags,
    coalesce(from_json(e.body->'untagged', '["VARCHAR"]'), []) AS untagged, e.written_at
FROM events AS e WHERE e.type = 'note_written';
COMMENT ON VIEW notes IS 'What people noted, with `pegbox note` or on the page; trial is NULL for a note on the whole study. Example: FROM notes WHERE study = ''digits'' ORDER BY written_at;';

CREATE OR REPLACE VIEW trial_tags AS
SELECT said.study, said.trial, said.tag, min(said.written_at) AS tagged_at
FROM (
    SELECT n.study, n.trial, unnest(n.tags) AS tag, true AS is_on, n.written_at FROM notes AS n
    UNION ALL SELECT n.study, n.trial, unnest(n.untagged) AS tag, false AS is_on, n.written_at FROM notes AS n
) AS said
GROUP BY said.study, said.trial, said.tag HAVING arg_max(said.is_on, said.written_at);
COMMENT ON VIEW trial_tags IS 'The tags that trials carry now; trial is NULL for a tag of the whole study. Example: SELECT t.number, t.value FROM trials AS t JOIN trial_tags AS g ON g.study = t.study AND g.trial = t.number WHERE g.tag = ''baseline'';';
COMMENT ON COLUMN notes.study IS 'Name of the study.';
COMMENT ON COLUMN notes.trial IS 'Number of the trial; NULL for a note on the whole study.';
COMMENT ON COLUMN notes.text IS 'What was noted; empty where only tags were given.';
COMMENT ON COLUMN notes.tags IS 'Tags that this note gave.';
COMMENT ON COLUMN notes.untagged IS 'Tags that this note took away.';
COMMENT ON COLUMN notes.written_at IS 'When it was noted.';
COMMENT ON COLUMN trial_tags.study IS 'Name of the study.';
COMMENT ON COLUMN trial_tags.trial IS 'Number of the trial; NULL for a tag of the whole study.';
COMMENT ON COLUMN trial_tags.tag IS 'The tag.';
COMMENT ON COLUMN trial_tags.tagged_at IS 'When it was given first.';
