-- A step that is reported again (from a cache, or from a copied journal) is the same row; of several values of one step
-- the last counts, as a progress bar and a second look at an epoch mean it.
DELETE FROM metrics AS k USING (
    SELECT
        study, trial, event.attempt AS attempt, event.fold AS fold, event.replicate AS replicate, event.step AS step,
        unnest(map_keys(event.metrics)) AS name, written_at
    FROM batch WHERE type = 'metrics_reported' AND study IS NOT NULL
) AS m
WHERE k.study = m.study AND k.trial = m.trial AND k.attempt = m.attempt AND k.fold = m.fold
    AND coalesce(k.replicate, -1) = coalesce(m.replicate, -1) AND k.step = m.step AND k.name = m.name
    AND k.reported_at < m.written_at;

-- Sorted as they are asked for, by study, trial and metric: zone maps are the only index here, because secondary
-- indexes have open bugs in DuckDB 2.0.
INSERT INTO metrics
SELECT study, trial, attempt, fold, replicate, step, name, value, seed, written_at
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY study, trial, attempt, fold, replicate, step, name ORDER BY written_at DESC, journal DESC, seq DESC
    ) AS copy
    FROM (
        SELECT
            study, trial, event.attempt AS attempt, event.fold AS fold, event.replicate AS replicate,
            event.step AS step, event.seed AS seed, written_at, journal, seq,
            unnest(map_keys(event.metrics)) AS name, unnest(map_values(event.metrics)) AS value
        FROM batch WHERE type = 'metrics_reported' AND study IS NOT NULL
    )
) AS m
WHERE copy = 1 AND NOT EXISTS (
    FROM metrics AS k
    WHERE k.study = m.study AND k.trial = m.trial AND k.attempt = m.attempt AND k.fold = m.fold
        AND coalesce(k.replicate, -1) = coalesce(m.replicate, -1) AND k.step = m.step AND k.name = m.name
)
ORDER BY study, trial, attempt, replicate, fold, name, step;
