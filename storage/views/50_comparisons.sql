-- Studies and runs beside each other, and the data they saw.

CREATE OR REPLACE MACRO compare_studies(study, other) AS TABLE
SELECT
    s.study, s.metric, s.goal, s.trials, s.completed, s.failed, s.best_trial, s.best, s.incumbent_value, s.hours,
    f.n_finished AS trials_to_best, f.trained_seconds AS seconds_to_best, e.mean AS top_mean
FROM study_summary AS s
LEFT JOIN (
    SELECT c.study, c.place AS n_finished, c.trained_seconds
    FROM (
        SELECT
            t.study, t.number, row_number() OVER in_time AS place, sum(t.seconds) OVER in_time AS trained_seconds
        FROM trials AS t
        WHERE t.study IN (study, other) AND t.ended_at IS NOT NULL
        WINDOW in_time AS (PARTITION BY t.study ORDER BY t.ended_at, t.number ROWS UNBOUNDED PRECEDING)
    ) AS c JOIN leaders AS l ON l.study = c.study AND l.best = c.number
) AS f ON f.study = s.study
LEFT JOIN (
    SELECT c.study, avg(c.value) AS mean
    FROM (
        SELECT t.study, t.value FROM competing AS t WHERE t.study IN (study, other) AND t.place <= 5
    ) AS c GROUP BY c.study
) AS e ON e.study = s.study
WHERE s.study IN (study, other)
ORDER BY s.study = study DESC;
COMMENT ON MACRO TABLE compare_studies IS 'Two studies beside each other: trials, the best trial and its value, mean of the best five as the search saw them, trials and seconds until the best was trained. Example: FROM compare_studies(''digits'', ''wine'');';

CREATE OR REPLACE MACRO compare_runs(study, run, other) AS TABLE
SELECT
    r.run, r.status, r.started_at, r.data_fingerprint, r.git_commit, count(t.number) AS trials,
    count(*) FILTER (t.state = 'completed') AS completed, count(*) FILTER (t.state = 'failed') AS failed,
    arg_min(t.value, t.loss) FILTER (t.competes) AS best,
    median(t.value) FILTER (t.state = 'completed') AS median, sum(t.seconds) AS seconds
FROM runs AS r JOIN studies AS s ON s.study = r.study
LEFT JOIN trials AS t ON t.study = r.study AND t.run = r.run
WHERE r.study = study AND r.run IN (run, other)
GROUP BY r.run, r.status, r.started_at, r.data_fingerprint, r.git_commit
ORDER BY r.started_at;
COMMENT ON MACRO TABLE compare_runs IS 'Two runs of one study, such as two scheduled ones, beside each other; best is what the search saw of the trials that compete. Example: FROM compare_runs(''digits'', ''run-1'', ''run-2'');';

CREATE OR REPLACE MACRO drift(study, parameter) AS TABLE
WITH seen AS (
    SELECT
        r.data_fingerprint, r.started_at, t.value AS y, t.loss, t.competes,
        variant_extract(t.params, parameter)::VARCHAR AS a,
        TRY_CAST(variant_extract(t.params, parameter) AS DOUBLE) AS x
    FROM completed AS t JOIN runs AS r ON r.study = t.study AND r.run = t.run
    WHERE t.study = study
),
active AS (
    SELECT
        p.*, percent_rank() OVER (PARTITION BY p.data_fingerprint ORDER BY NOT p.competes, p.loss) AS place
    FROM seen AS p WHERE p.a IS NOT NULL
)
SELECT
    p.data_fingerprint, min(p.started_at) AS first_seen_at, count(*) AS n, arg_min(p.y, p.loss) FILTER (p.competes) AS best,
    arg_min(p.a, p.loss) FILTER (p.competes) AS best_setting, median(p.x) FILTER (p.place <= 0.2) AS top_median,
    min(p.x) FILTER (p.place <= 0.2) AS top_low, max(p.x) FILTER (p.place <= 0.2) AS top_high,
    mode(p.a) FILTER (p.place <= 0.2) AS top_mode
FROM active AS p
GROUP BY p.data_fingerprint
ORDER BY first_seen_at;
COMMENT ON MACRO TABLE drift IS 'Does the best setting of a parameter move with the data? For each data fingerprint: the best setting, and median, range and mode of the best fifth. Example: FROM drift(''digits'', ''lr'');';
