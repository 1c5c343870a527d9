-- Trade-offs between objectives.

CREATE OR REPLACE MACRO tradeoff(study, metric, other, goal := 'minimize', other_goal := 'minimize') AS TABLE
WITH measured AS (
    SELECT
        t.number, t.params, t.metrics[metric] AS a, t.metrics[other] AS b,
        if(goal = 'maximize', -1, 1) * t.metrics[metric] AS x,
        if(other_goal = 'maximize', -1, 1) * t.metrics[other] AS y
    FROM trials AS t WHERE t.study = study AND t.state = 'completed'
),
steps AS (
    SELECT m.x, min(m.y) AS y FROM measured AS m WHERE m.x IS NOT NULL AND m.y IS NOT NULL GROUP BY m.x
),
front AS (
    SELECT s.x, s.y FROM steps AS s
    QUALIFY coalesce(s.y < min(s.y) OVER (ORDER BY s.x ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true)
)
SELECT m.number, m.a AS metric, m.b AS other, m.params
FROM measured AS m JOIN front AS f ON m.x = f.x AND m.y = f.y
ORDER BY m.x, m.number;
COMMENT ON MACRO TABLE tradeoff IS 'Completed trials that no other beats in both of two metrics. Example: FROM tradeoff(''digits'', ''val_loss'', ''cost'');';

CREATE OR REPLACE MACRO pareto(study) AS TABLE
WITH objectives AS (
    SELECT
        len(s.goals) AS n, if(s.goals[1] = 'maximize', -1, 1) AS first_sign, if(s.goals[2] = 'maximize', -1, 1) AS second_sign,
        list_transform(s.goals, lambda goal: if(goal = 'maximize', -1, 1)) AS signs
    FROM studies AS s WHERE s.study = study
),
kept AS (
    SELECT c.* FROM trials AS c ANTI JOIN violations AS v ON v.study = c.study AND v.number = c.number
    WHERE c.study = study AND c.state = 'completed'
),
pairs AS (
    SELECT
        t.number, t."values", t.params, o.first_sign * t."values"[1] AS x,
        if(o.n = 1, 0, o.second_sign * t."values"[2]) AS y
    FROM kept AS t, objectives AS o WHERE o.n <= 2
),
steps AS (
    SELECT m.x, min(m.y) AS y FROM pairs AS m WHERE m.x IS NOT NULL AND m.y IS NOT NULL GROUP BY m.x
),
front AS (
    SELECT s.x, s.y FROM steps AS s
    QUALIFY coalesce(s.y < min(s.y) OVER (ORDER BY s.x ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true)
),
many AS (
    SELECT t.number, t."values", t.params, list_transform(t."values", lambda v, i: v * o.signs[i]) AS losses
    FROM kept AS t, objectives AS o
    WHERE o.n > 2 AND len(list_filter(t."values", lambda v: v IS NULL)) = 0
)
SELECT m.number, m."values", m.params
FROM pairs AS m JOIN front AS f ON m.x = f.x AND m.y = f.y
UNION ALL
SELECT m.number, m."values", m.params
FROM many AS m
WHERE NOT EXISTS (
    SELECT 1 FROM many AS b
    WHERE list_bool_and(list_transform(b.losses, lambda v, i: v <= m.losses[i]))
        AND list_bool_or(list_transform(b.losses, lambda v, i: v < m.losses[i]))
)
ORDER BY 2, 1;
COMMENT ON MACRO TABLE pareto IS 'Completed trials within the constraints that no other beats in every objective; with three objectives and more it takes quadratic time. Example: FROM pareto(''digits'');';
