-- Constraints of studies, and the trials outside them.

CREATE OR REPLACE VIEW violations AS
WITH limits AS (
    SELECT s.study, entry.value->>'$.metric' AS metric, (entry.value->>'$.min')::DOUBLE AS lowest,
        (entry.value->>'$.max')::DOUBLE AS highest
    FROM studies AS s, json_each(s.spec, '$.constraints') AS entry
),
fresh AS (
    SELECT e.study, e.trial, l.metric, avg(e.metrics[l.metric]) AS value
    FROM evaluations AS e JOIN limits AS l ON l.study = e.study
    WHERE e.replicate IS NOT NULL AND e.fold IS NULL
    GROUP BY e.study, e.trial, l.metric
),
measured AS (
    SELECT t.study, t.number, t.state, l.metric, l.lowest, l.highest, coalesce(f.value, t.metrics[l.metric]) AS value
    FROM trials AS t JOIN limits AS l ON l.study = t.study
    LEFT JOIN fresh AS f ON f.study = t.study AND f.trial = t.number AND f.metric = l.metric
    WHERE t.metrics IS NOT NULL
)
SELECT
    m.study, m.number, m.state, m.metric, m.value, m.lowest, m.highest,
    greatest(m.value - m.highest, m.lowest - m.value) AS violation
FROM measured AS m
WHERE m.value IS NULL OR m.value > m.highest OR m.value < m.lowest;
COMMENT ON VIEW violations IS 'Evaluated trials that do not keep a constraint of their study, and cannot win: the metric (its mean over fresh seeds where there are some; NULL where it was not measured), what is allowed, and by how much it is missed. Example: SELECT count(*) FROM violations WHERE study = ''digits'';';
