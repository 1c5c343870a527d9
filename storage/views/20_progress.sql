-- How a study got on.

CREATE OR REPLACE MACRO best_so_far(study) AS TABLE
SELECT
    row_number() OVER in_time AS n_finished,
    t.number,
    t.ended_at,
    t.elapsed_seconds,
    sum(t.seconds) OVER in_time AS trained_seconds,
    sum(t.budget - coalesce(f.from_budget, 0)) OVER in_time AS trained_epochs,
    CASE WHEN t.state = 'completed' THEN t.value END AS value,
    CASE WHEN s.goals[1] = 'maximize' THEN -1 ELSE 1 END * min(CASE WHEN t.competes THEN t.loss END) OVER in_time AS best
FROM trials AS t JOIN studies AS s ON s.study = t.study
LEFT JOIN decisions AS f ON f.study = t.study AND f.trial = t.number AND f.kind = 'fork'
WHERE t.study = study AND t.ended_at IS NOT NULL
WINDOW in_time AS (ORDER BY t.ended_at, t.number ROWS UNBOUNDED PRECEDING)
ORDER BY t.ended_at, t.number;
COMMENT ON MACRO TABLE best_so_far IS 'Best first objective, as the search saw it, of the trials that compete, after each finished trial: by trials, by running time (rests between runs left out), and by seconds and epochs of training. Example: FROM best_so_far(''digits'');';

CREATE OR REPLACE MACRO top(study, k := 10) AS TABLE
SELECT t.number, t.value, t.metrics, t.params, t.budget, t.seconds
FROM competing AS t WHERE t.study = study
-- As `place`, without ranking all of them for the first few.
ORDER BY NOT t.is_incumbent, NOT t.on_front, t.loss, t.number LIMIT k;
COMMENT ON MACRO TABLE top IS 'The k best trials that compete, as the search saw them; of several objectives the knee of the front, then the front, then the others by the first objective. Example: FROM top(''digits'', k := 5);';

CREATE OR REPLACE MACRO curve(study, trial, metric := NULL) AS TABLE
SELECT c.name, c.step, c.fold, c.value
FROM curves AS c
WHERE c.study = study AND c.trial = trial AND (metric IS NULL OR c.name = metric)
ORDER BY c.name, c.fold, c.step;
COMMENT ON MACRO TABLE curve IS 'Learning curves of one trial in the search. Example: FROM curve(''digits'', 0, metric := ''val_loss'');';

-- Trials are counted by their first fold, and the few without it apart: that spares a count of distinct trials over all rows.
CREATE OR REPLACE MACRO curve_bands(study, metric) AS TABLE
WITH measured AS NOT MATERIALIZED (
    SELECT m.trial, m.fold, m.step, m.attempt, m.value
    FROM metrics AS m WHERE m.study = study AND m.name = metric AND m.replicate IS NULL
),
latest AS NOT MATERIALIZED (
    SELECT m.trial, m.fold, m.step, m.value
    FROM measured AS m ANTI JOIN (SELECT n.* FROM measured AS n WHERE n.attempt > 1) AS later
        ON later.trial = m.trial AND later.fold = m.fold AND later.step = m.step AND later.attempt > m.attempt
),
outcomes AS NOT MATERIALIZED (SELECT t.number, t.state FROM trials AS t WHERE t.study = study),
bands AS (
    SELECT
        o.state AS outcome, c.step, count(*) FILTER (c.fold = 0) AS n, avg(c.value) AS mean,
        quantile_cont(c.value, [0.1, 0.25, 0.5, 0.75, 0.9]) AS bands
    FROM latest AS c JOIN outcomes AS o ON o.number = c.trial
    GROUP BY o.state, c.step
),
without_first_fold AS (
    SELECT o.state AS outcome, c.step, count(DISTINCT c.trial) AS n
    FROM (SELECT m.trial, m.step FROM measured AS m WHERE m.fold > 0) AS c
    ANTI JOIN (SELECT m.trial, m.step FROM measured AS m WHERE m.fold = 0) AS f ON f.trial = c.trial AND f.step = c.step
    JOIN outcomes AS o ON o.number = c.trial
    GROUP BY o.state, c.step
)
SELECT b.outcome, b.step, b.n + coalesce(w.n, 0) AS n, b.mean, b.bands[1] AS p10, b.bands[2] AS p25,
    b.bands[3] AS p50, b.bands[4] AS p75, b.bands[5] AS p90
FROM bands AS b LEFT JOIN without_first_fold AS w ON w.outcome = b.outcome AND w.step = b.step
ORDER BY b.outcome, b.step;
COMMENT ON MACRO TABLE curve_bands IS 'Bands of the learning curves at each step, by what became of the trials. Example: FROM curve_bands(''digits'', ''val_loss'');';

CREATE OR REPLACE MACRO rung_correlation(study, keep := 1 / 3) AS TABLE
WITH early AS (
    SELECT c.trial, c.step, avg(CASE WHEN s.goals[1] = 'maximize' THEN -c.value ELSE c.value END) AS loss
    FROM curves AS c JOIN studies AS s ON s.study = c.study
    WHERE c.study = study AND c.name = s.metrics[1] AND c.value IS NOT NULL
    GROUP BY c.trial, c.step
),
ranked AS (
    SELECT
        e.step, t.number, t.loss,
        rank() OVER (PARTITION BY e.step ORDER BY e.loss) AS early_rank,
        rank() OVER (PARTITION BY e.step ORDER BY t.loss) AS final_rank,
        row_number() OVER (PARTITION BY e.step ORDER BY NOT t.competes, t.loss, t.number) AS final_place,
        count(*) OVER (PARTITION BY e.step) AS n
    FROM early AS e JOIN completed AS t ON t.study = study AND t.number = e.trial
)
SELECT
    r.step, any_value(r.n) AS n, corr(r.early_rank, r.final_rank) AS correlation,
    min(r.number) FILTER (r.final_place = 1) AS winner,
    min(r.early_rank) FILTER (r.final_place = 1) AS winner_rank,
    min(r.early_rank) FILTER (r.final_place = 1) > ceil(keep * any_value(r.n)) AS winner_lost
FROM ranked AS r
GROUP BY r.step
ORDER BY r.step;
COMMENT ON MACRO TABLE rung_correlation IS 'At each step: how the ranks of completed trials agree with their final ranks, and whether keeping only the best share would have lost the winner. Example: FROM rung_correlation(''digits'', keep := 0.5);';

CREATE OR REPLACE MACRO finalists(study) AS TABLE
SELECT
    e.trial AS number, count(*) AS n_seeds, avg(e.value) AS mean, stddev_samp(e.value) AS deviation,
    min(e.value) AS lowest, max(e.value) AS highest, any_value(t.value) AS search_value
FROM evaluations AS e JOIN trials AS t ON t.study = e.study AND t.number = e.trial JOIN studies AS s ON s.study = e.study
WHERE e.study = study AND e.replicate IS NOT NULL AND e.fold IS NULL
GROUP BY e.trial
ORDER BY avg(e.value) * CASE WHEN any_value(s.goals[1]) = 'maximize' THEN -1 ELSE 1 END;
COMMENT ON MACRO TABLE finalists IS 'The finalists on their fresh seeds, best mean first, beside what the search saw. Example: FROM finalists(''digits'');';
