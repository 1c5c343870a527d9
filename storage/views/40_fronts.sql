-- Trade-offs between objectives.

CREATE OR REPLACE MACRO tradeoff(study, metric, other, goal := 'minimize', other_goal := 'minimize') AS TABLE
WITH measured AS (
    SELECT
        t.number, t.params, t.metrics[metric] AS a, t.metrics[other] AS b,
        CASE WHEN goal = 'maximize' THEN -1 ELSE 1 END * t.metrics[metric] AS x,
        CASE WHEN other_goal = 'maximize' THEN -1 ELSE 1 END * t.metrics[other] AS y
    FROM trials AS t WHERE t.study = study AND t.competes
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
COMMENT ON MACRO TABLE tradeoff IS 'Trials that compete and that no other of them beats in both of two metrics. Example: FROM tradeoff(''digits'', ''val_loss'', ''cost'');';

CREATE OR REPLACE MACRO pareto(study) AS TABLE
SELECT t.number, t."values", t.params
FROM competing AS t WHERE t.study = study AND t.on_front
ORDER BY t."values", t.number;
COMMENT ON MACRO TABLE pareto IS 'The front: trials that compete and that no other of them beats in every objective. Example: FROM pareto(''digits'');';
