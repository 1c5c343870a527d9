-- Populations: whose weights a trial goes on with, and in whose place it is trained.

CREATE OR REPLACE VIEW lineage AS
WITH RECURSIVE places AS (
    SELECT d.study, d.trial, row_number() OVER (PARTITION BY d.study ORDER BY d.trial) - 1 AS member
    FROM decisions AS d JOIN studies AS s ON s.study = d.study
    WHERE d.kind = 'start' AND s.method IN ('pbt', 'pb2')
    UNION ALL
    SELECT f.study, f.trial, p.member
    FROM places AS p JOIN decisions AS f ON f.study = p.study AND f.replaces = p.trial AND f.kind = 'fork'
),
descent AS (
    SELECT p.study, p.trial, 0 AS generation FROM places AS p
    ANTI JOIN (SELECT d.study, d.trial FROM decisions AS d WHERE d.kind = 'fork') AS f
        ON f.study = p.study AND f.trial = p.trial
    UNION ALL
    SELECT f.study, f.trial, g.generation + 1
    FROM descent AS g JOIN decisions AS f ON f.study = g.study AND f.parent = g.trial AND f.kind = 'fork'
)
SELECT
    p.study, p.member, g.generation, p.trial, f.parent, f.replaces, coalesce(f.from_budget, 0) AS from_budget, t.budget,
    t.state, t.value,
    map_from_entries(list_transform(
        list_filter(
            json_keys(t.params::JSON), lambda name: b.number IS NOT NULL
                AND json_extract(t.params::JSON, '$."' || name || '"')
                IS DISTINCT FROM json_extract(b.params::JSON, '$."' || name || '"')
        ),
        lambda name: {
            'key': name,
            'value': {
                'before': json_extract_string(b.params::JSON, '$."' || name || '"'),
                'after': json_extract_string(t.params::JSON, '$."' || name || '"')
            }
        }
    )) AS changed
FROM places AS p
JOIN descent AS g ON g.study = p.study AND g.trial = p.trial
JOIN trials AS t ON t.study = p.study AND t.number = p.trial
LEFT JOIN decisions AS f ON f.study = p.study AND f.trial = p.trial AND f.kind = 'fork'
LEFT JOIN trials AS b ON b.study = p.study AND b.number = f.parent
ORDER BY p.study, p.member, p.trial;
COMMENT ON VIEW lineage IS 'Of population based training: each trial with the member in whose place it was trained, how often its weights had been copied (generation), the trial that it was copied from and at which epoch, what was changed, and its last value. Example: FROM lineage WHERE study = ''digits'' ORDER BY member, trial;';
COMMENT ON COLUMN lineage.study IS 'Name of the study.';
COMMENT ON COLUMN lineage.member IS 'Whose place in the population it is, from 0.';
COMMENT ON COLUMN lineage.generation IS 'How often its weights had been copied from one trial to another when it began; 0 for one that began anew.';
COMMENT ON COLUMN lineage.trial IS 'Number of the trial.';
COMMENT ON COLUMN lineage.parent IS 'The trial whose weights, optimizer and random numbers it began with; NULL for one that began anew.';
COMMENT ON COLUMN lineage.replaces IS 'The trial, stopped or failed, in whose place it is trained; NULL for one that began anew.';
COMMENT ON COLUMN lineage.from_budget IS 'Epochs that the parent had reached when it was copied.';
COMMENT ON COLUMN lineage.budget IS 'Epochs reached at the last evaluation, those of its ancestors included.';
COMMENT ON COLUMN lineage.state IS 'proposed, running, paused, completed, stopped or failed.';
COMMENT ON COLUMN lineage.value IS 'First objective at the last evaluation.';
COMMENT ON COLUMN lineage.changed IS 'Hyperparameters that differ from those of the parent, each before and after: changed[''lr''].after; empty for one that began anew.';
