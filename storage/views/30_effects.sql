-- What a hyperparameter does. A parameter that was not active in a trial does not count there.

-- Bins by quantile come from 4096 cells of equal width (on a log scale where all settings are positive), so that no
-- million of values is sorted and equal settings stay together.

CREATE OR REPLACE MACRO marginal(study, parameter, bins := 10, scale := 'quantile') AS TABLE
WITH seen AS (
    SELECT TRY_CAST(variant_extract(t.params, parameter) AS DOUBLE) AS x, t.value AS y, t.loss, t.competes
    FROM completed AS t WHERE t.study = study
),
active AS (SELECT * FROM seen AS p WHERE p.x > CASE WHEN scale = 'log' THEN 0 ELSE '-infinity'::DOUBLE END),
edges AS (
    SELECT
        scale = 'log' OR (scale = 'quantile' AND min(p.x) > 0) AS is_log,
        CASE WHEN is_log THEN ln(min(p.x)) ELSE min(p.x) END AS low, CASE WHEN is_log THEN ln(max(p.x)) ELSE max(p.x) END AS high
    FROM active AS p
),
celled AS (
    SELECT
        p.x, p.y, p.loss, p.competes,
        coalesce(least(4095, floor(4096 * (CASE WHEN e.is_log THEN ln(p.x) ELSE p.x END - e.low) / nullif(e.high - e.low, 0))), 0) AS cell
    FROM active AS p, edges AS e
),
cells AS (SELECT c.cell, count(*) AS n FROM celled AS c GROUP BY c.cell),
binned AS (
    SELECT
        c.cell,
        1 + CASE scale WHEN 'quantile'
            THEN floor(bins * (sum(c.n) OVER (ORDER BY c.cell) - c.n) / sum(c.n) OVER ())
            ELSE floor(bins * c.cell / 4096) END AS bin
    FROM cells AS c
)
SELECT
    b.bin::INTEGER AS bin, min(c.x) AS low, max(c.x) AS high, count(*) AS n, avg(c.y) AS mean,
    avg(c.y) - 1.96 * stddev_samp(c.y) / sqrt(count(*)) AS mean_low,
    avg(c.y) + 1.96 * stddev_samp(c.y) / sqrt(count(*)) AS mean_high,
    median(c.y) AS median, arg_min(c.y, c.loss) FILTER (c.competes) AS best
FROM celled AS c JOIN binned AS b ON b.cell = c.cell
GROUP BY b.bin
ORDER BY b.bin;
COMMENT ON MACRO TABLE marginal IS 'Effect of a numeric parameter: completed trials in bins by quantile, log or linear scale, each with mean, 95 % interval of the mean, median and best value. Example: FROM marginal(''digits'', ''lr'', bins := 4, scale := ''log'');';

CREATE OR REPLACE MACRO marginal_levels(study, parameter) AS TABLE
SELECT
    p.level, count(*) AS n, avg(p.y) AS mean,
    avg(p.y) - 1.96 * stddev_samp(p.y) / sqrt(count(*)) AS mean_low,
    avg(p.y) + 1.96 * stddev_samp(p.y) / sqrt(count(*)) AS mean_high,
    median(p.y) AS median, arg_min(p.y, p.loss) FILTER (p.competes) AS best
FROM (
    SELECT variant_extract(t.params, parameter)::VARCHAR AS level, t.value AS y, t.loss, t.competes
    FROM completed AS t WHERE t.study = study
) AS p
WHERE p.level IS NOT NULL
GROUP BY p.level
ORDER BY avg(p.loss);
COMMENT ON MACRO TABLE marginal_levels IS 'Effect of a categorical parameter: completed trials by level, best mean first, with 95 % interval of the mean, median and best value. Example: FROM marginal_levels(''digits'', ''optimizer'');';

-- One cast of a parameter is done while the table is read; two different ones are not. So each kind has its own branch,
-- and the others meet an empty table and read nothing.

CREATE OR REPLACE MACRO interaction(study, parameter, other, bins := 6) AS TABLE
WITH kinds AS (
    SELECT
        coalesce(bool_or(k.is_range) FILTER (k.parameter = parameter), false) AS first,
        coalesce(bool_or(k.is_range) FILTER (k.parameter = other), false) AS second
    FROM study_parameters AS k WHERE k.study = study
),
seen AS (
    SELECT
        TRY_CAST(variant_extract(t.params, parameter) AS DOUBLE) AS x, NULL AS a,
        TRY_CAST(variant_extract(t.params, other) AS DOUBLE) AS z, NULL AS b,
        t.value AS y, t.loss, t.competes
    FROM completed AS t, (SELECT 1 FROM kinds AS k WHERE k.first AND k.second) AS kind
    WHERE t.study = study
    UNION ALL
    SELECT
        TRY_CAST(variant_extract(t.params, parameter) AS DOUBLE) AS x, NULL AS a,
        NULL AS z, variant_extract(t.params, other)::VARCHAR AS b,
        t.value AS y, t.loss, t.competes
    FROM completed AS t, (SELECT 1 FROM kinds AS k WHERE k.first AND NOT k.second) AS kind
    WHERE t.study = study
    UNION ALL
    SELECT
        NULL AS x, variant_extract(t.params, parameter)::VARCHAR AS a,
        TRY_CAST(variant_extract(t.params, other) AS DOUBLE) AS z, NULL AS b,
        t.value AS y, t.loss, t.competes
    FROM completed AS t, (SELECT 1 FROM kinds AS k WHERE NOT k.first AND k.second) AS kind
    WHERE t.study = study
    UNION ALL
    SELECT
        NULL AS x, variant_extract(t.params, parameter)::VARCHAR AS a,
        NULL AS z, variant_extract(t.params, other)::VARCHAR AS b,
        t.value AS y, t.loss, t.competes
    FROM completed AS t, (SELECT 1 FROM kinds AS k WHERE NOT k.first AND NOT k.second) AS kind
    WHERE t.study = study
),
both_active AS (
    SELECT * FROM seen AS p WHERE (p.x IS NOT NULL OR p.a IS NOT NULL) AND (p.z IS NOT NULL OR p.b IS NOT NULL)
),
edges AS (
    SELECT
        count(p.a) = 0 AS x_is_numeric, min(p.x) > 0 AS x_is_log,
        CASE WHEN x_is_log THEN ln(min(p.x)) ELSE min(p.x) END AS x_low, CASE WHEN x_is_log THEN ln(max(p.x)) ELSE max(p.x) END AS x_high,
        count(p.b) = 0 AS z_is_numeric, min(p.z) > 0 AS z_is_log,
        CASE WHEN z_is_log THEN ln(min(p.z)) ELSE min(p.z) END AS z_low, CASE WHEN z_is_log THEN ln(max(p.z)) ELSE max(p.z) END AS z_high
    FROM both_active AS p
),
celled AS (
    SELECT
        p.x, p.z, p.y, p.loss, p.competes,
        p.a,
        p.b,
        CASE WHEN e.x_is_numeric THEN coalesce(least(4095, floor(4096 * (CASE WHEN e.x_is_log THEN ln(p.x) ELSE p.x END - e.x_low)
            / nullif(e.x_high - e.x_low, 0))), 0) ELSE -1 END AS i,
        CASE WHEN e.z_is_numeric THEN coalesce(least(4095, floor(4096 * (CASE WHEN e.z_is_log THEN ln(p.z) ELSE p.z END - e.z_low)
            / nullif(e.z_high - e.z_low, 0))), 0) ELSE -1 END AS j
    FROM both_active AS p, edges AS e
),
first_bins AS (
    SELECT c.i, CASE WHEN c.i < 0 THEN NULL ELSE 1 + floor(bins * (sum(c.n) OVER (ORDER BY c.i) - c.n) / sum(c.n) OVER ()) END AS bin
    FROM (SELECT d.i, count(*) AS n FROM celled AS d GROUP BY d.i) AS c
),
second_bins AS (
    SELECT c.j, CASE WHEN c.j < 0 THEN NULL ELSE 1 + floor(bins * (sum(c.n) OVER (ORDER BY c.j) - c.n) / sum(c.n) OVER ()) END AS bin
    FROM (SELECT d.j, count(*) AS n FROM celled AS d GROUP BY d.j) AS c
)
SELECT
    f.bin::INTEGER AS bin, coalesce(c.a, format('{:.4g} .. {:.4g}', min(c.x), max(c.x))) AS setting,
    g.bin::INTEGER AS other_bin, coalesce(c.b, format('{:.4g} .. {:.4g}', min(c.z), max(c.z))) AS other_setting,
    count(*) AS n, avg(c.y) AS mean, arg_min(c.y, c.loss) FILTER (c.competes) AS best
FROM celled AS c JOIN first_bins AS f ON f.i = c.i JOIN second_bins AS g ON g.j = c.j
GROUP BY f.bin, c.a, g.bin, c.b
ORDER BY f.bin, c.a, g.bin, c.b;
COMMENT ON MACRO TABLE interaction IS 'Effect of two parameters together: completed trials in cells, numbers by quantile, other settings by level. Example: FROM interaction(''digits'', ''lr'', ''optimizer'', bins := 3);';

CREATE OR REPLACE MACRO rank_correlation(study, parameter) AS TABLE
WITH ranked AS (
    SELECT rank() OVER (ORDER BY p.x) AS a, rank() OVER (ORDER BY p.y) AS b
    FROM (
        SELECT TRY_CAST(variant_extract(t.params, parameter) AS DOUBLE) AS x, t.value AS y
        FROM completed AS t WHERE t.study = study
    ) AS p WHERE p.x IS NOT NULL
)
SELECT
    corr(r.a, r.b) AS rho, count(*) AS n,
    tanh(atanh(corr(r.a, r.b)) - 1.96 / sqrt(nullif(greatest(count(*) - 3, 0), 0))) AS rho_low,
    tanh(atanh(corr(r.a, r.b)) + 1.96 / sqrt(nullif(greatest(count(*) - 3, 0), 0))) AS rho_high
FROM ranked AS r;
COMMENT ON MACRO TABLE rank_correlation IS 'Spearman''s rank correlation of a numeric parameter and the first objective, with its 95 % interval (Fisher). Example: FROM rank_correlation(''digits'', ''lr'');';

CREATE OR REPLACE MACRO rank_correlations(study) AS TABLE
WITH ranked AS (
    SELECT
        p.parameter,
        rank() OVER (PARTITION BY p.parameter ORDER BY p.numeric_setting) AS a,
        rank() OVER (PARTITION BY p.parameter ORDER BY p.value) AS b
    FROM trial_parameters AS p
    WHERE p.study = study AND p.state = 'completed' AND p.value IS NOT NULL AND p.numeric_setting IS NOT NULL
)
SELECT r.parameter, corr(r.a, r.b) AS rho, count(*) AS n
FROM ranked AS r GROUP BY r.parameter ORDER BY abs(corr(r.a, r.b)) DESC NULLS LAST;
COMMENT ON MACRO TABLE rank_correlations IS 'Spearman''s rank correlation of every numeric parameter and the first objective, strongest first. Example: FROM rank_correlations(''digits'');';

CREATE OR REPLACE MACRO failure_regions(study, parameter, bins := 5) AS TABLE
WITH kinds AS (
    SELECT coalesce(bool_or(k.is_range), false) AS is_range
    FROM study_parameters AS k WHERE k.study = study AND k.parameter = parameter
),
seen AS (
    SELECT TRY_CAST(variant_extract(t.params, parameter) AS DOUBLE) AS x, NULL AS a, t.state, t.failure_kind
    FROM trials AS t, (SELECT 1 FROM kinds AS k WHERE k.is_range) AS kind
    WHERE t.study = study AND t.ended_at IS NOT NULL
    UNION ALL
    SELECT NULL AS x, variant_extract(t.params, parameter)::VARCHAR AS a, t.state, t.failure_kind
    FROM trials AS t, (SELECT 1 FROM kinds AS k WHERE NOT k.is_range) AS kind
    WHERE t.study = study AND t.ended_at IS NOT NULL
),
active AS (SELECT * FROM seen AS p WHERE p.x IS NOT NULL OR p.a IS NOT NULL),
edges AS (
    SELECT
        count(p.a) = 0 AS is_numeric, min(p.x) > 0 AS is_log,
        CASE WHEN is_log THEN ln(min(p.x)) ELSE min(p.x) END AS low, CASE WHEN is_log THEN ln(max(p.x)) ELSE max(p.x) END AS high
    FROM active AS p
),
celled AS (
    SELECT
        p.x, p.state, p.failure_kind, p.a,
        CASE WHEN e.is_numeric THEN coalesce(least(4095, floor(4096 * (CASE WHEN e.is_log THEN ln(p.x) ELSE p.x END - e.low)
            / nullif(e.high - e.low, 0))), 0) ELSE -1 END AS cell
    FROM active AS p, edges AS e
),
binned AS (
    SELECT c.cell,
        CASE WHEN c.cell < 0 THEN NULL ELSE 1 + floor(bins * (sum(c.n) OVER (ORDER BY c.cell) - c.n) / sum(c.n) OVER ()) END AS bin
    FROM (SELECT d.cell, count(*) AS n FROM celled AS d GROUP BY d.cell) AS c
)
SELECT
    b.bin::INTEGER AS bin, coalesce(c.a, format('{:.4g} .. {:.4g}', min(c.x), max(c.x))) AS setting, count(*) AS n,
    count(*) FILTER (c.state = 'failed') AS failed, count(*) FILTER (c.state = 'failed') / count(*) AS share,
    histogram(c.failure_kind) FILTER (c.failure_kind IS NOT NULL) AS kinds
FROM celled AS c JOIN binned AS b ON b.cell = c.cell
GROUP BY b.bin, c.a
ORDER BY share DESC, b.bin, c.a;
COMMENT ON MACRO TABLE failure_regions IS 'Where in the range of a parameter trials fail, and how. Example: FROM failure_regions(''digits'', ''lr'');';

CREATE OR REPLACE MACRO failure_kinds(study) AS TABLE
SELECT
    t.failure_kind AS kind, count(*) AS n, count(*) / any_value(a.n) AS share, min(t.number) AS first_trial,
    arg_min(t.failure_message, t.number) AS example, sum(t.seconds) AS seconds
FROM failures AS t, (SELECT count(*) AS n FROM trials AS t WHERE t.study = study) AS a
WHERE t.study = study
GROUP BY t.failure_kind
ORDER BY n DESC;
COMMENT ON MACRO TABLE failure_kinds IS 'Failed trials by kind, with their share of all trials, an example and the seconds they took. Example: FROM failure_kinds(''digits'');';
