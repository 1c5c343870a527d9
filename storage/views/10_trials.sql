-- Views over all studies.

CREATE OR REPLACE VIEW all_trials AS
SELECT t.*, s.metrics[1] AS metric, s.goals[1] AS goal, s.method, s.schedule, s.full_budget, s.tags
FROM trials AS t JOIN studies AS s USING (study);
COMMENT ON VIEW all_trials IS 'Trials of all studies, each with the objective, method and tags of its study. Example: FROM all_trials WHERE state = ''completed'' LIMIT 5;';

CREATE OR REPLACE VIEW completed AS
SELECT t.*, s.metrics[1] AS metric, s.goals[1] AS goal
FROM trials AS t JOIN studies AS s USING (study)
WHERE t.state = 'completed' AND t.value IS NOT NULL;
COMMENT ON VIEW completed IS 'Trials with a value at the full budget, those too that do not compete because they break a constraint or lie outside the space of today. Example: SELECT study, min(loss) FILTER (competes) FROM completed GROUP BY study;';

CREATE OR REPLACE VIEW competing AS
SELECT
    t.*, s.metrics[1] AS metric, s.goals[1] AS goal, t.number IS NOT DISTINCT FROM l.best AS is_best,
    t.number IS NOT DISTINCT FROM l.incumbent AS is_incumbent, list_contains(l.front, t.number) AS on_front,
    row_number() OVER (
        PARTITION BY t.study
        ORDER BY t.number IS DISTINCT FROM l.incumbent, NOT list_contains(l.front, t.number), t.loss, t.number
    ) AS place
FROM trials AS t JOIN studies AS s ON s.study = t.study JOIN leaders AS l ON l.study = t.study
WHERE t.competes;
COMMENT ON VIEW competing IS 'Trials that may be named the best: completed, inside the space of today, within the constraints. place 1 is the incumbent; then comes the rest of the front, then the others by loss. Example: FROM competing WHERE study = ''digits'' AND place <= 5 ORDER BY place;';

CREATE OR REPLACE VIEW trial_parameters AS
SELECT t.study, t.number, t.state, t.value, parameter.key AS parameter, parameter.value->>'$' AS setting,
    TRY_CAST(parameter.value->>'$' AS DOUBLE) AS numeric_setting
FROM (SELECT r.study, r.number, r.state, r.value, r.params::JSON AS params FROM trials AS r) AS t,
    json_each(t.params) AS parameter;
COMMENT ON VIEW trial_parameters IS 'One row for each parameter that was active in a trial, as text and, where it is one, as a number. Example: SELECT parameter, count(*) FROM trial_parameters GROUP BY parameter;';

CREATE OR REPLACE VIEW curves AS
SELECT m.study, m.trial, m.fold, m.name, m.step, m.value, m.seed, m.attempt, m.reported_at
FROM metrics AS m
ANTI JOIN (SELECT * FROM metrics AS n WHERE n.attempt > 1 AND n.replicate IS NULL) AS later
    ON later.study = m.study AND later.trial = m.trial AND later.fold = m.fold
    AND later.name = m.name AND later.step = m.step AND later.attempt > m.attempt
WHERE m.replicate IS NULL;
COMMENT ON VIEW curves IS 'Learning curves of the search: of each step the last attempt that measured it. Those of fresh seeds are in replicate_curves. Example: SELECT step, value FROM curves WHERE study = ''digits'' AND trial = 0 AND name = ''val_loss'' ORDER BY step;';

CREATE OR REPLACE VIEW replicate_curves AS
SELECT m.study, m.trial, m.replicate, m.fold, m.name, m.step, m.value, m.seed, m.attempt, m.reported_at
FROM metrics AS m
ANTI JOIN (SELECT * FROM metrics AS n WHERE n.attempt > 1 AND n.replicate IS NOT NULL) AS later
    ON later.study = m.study AND later.trial = m.trial AND later.replicate = m.replicate AND later.fold = m.fold
    AND later.name = m.name AND later.step = m.step AND later.attempt > m.attempt
WHERE m.replicate IS NOT NULL;
COMMENT ON VIEW replicate_curves IS 'Learning curves of the finalists on their fresh seeds: of each step the last attempt that measured it. Example: SELECT replicate, step, value FROM replicate_curves WHERE study = ''digits'' AND trial = 0 AND name = ''val_loss'' ORDER BY ALL;';

CREATE OR REPLACE VIEW study_summary AS
SELECT
    s.study, s.metrics[1] AS metric, s.goals[1] AS goal, s.method, s.schedule,
    count(t.number) AS trials, count(*) FILTER (t.budget > 0 OR t.ended_at IS NOT NULL) AS tried,
    count(*) FILTER (t.state = 'completed') AS completed,
    count(*) FILTER (t.state = 'stopped') AS stopped,
    count(*) FILTER (t.state = 'failed') AS failed,
    count(*) FILTER (t.state IN ('proposed', 'running', 'paused')) AS active,
    count(*) FILTER (t.competes) AS competing,
    any_value(l.best) AS best_trial, any_value(l.best_value) AS best, any_value(l.is_selected) AS is_selected,
    any_value(l.incumbent) AS incumbent, any_value(l.incumbent_value) AS incumbent_value,
    any_value(p.seconds) / 3600 AS hours, any_value(p.finalist_seconds) / 3600 AS finalist_hours,
    any_value(c.elapsed_seconds) AS elapsed_seconds, any_value(s.search_end) AS search_end,
    s.created_at, max(t.ended_at) AS last_ended_at
FROM studies AS s LEFT JOIN trials AS t ON t.study = s.study
LEFT JOIN leaders AS l ON l.study = s.study
LEFT JOIN (
    SELECT g.study, sum(g.seconds) AS seconds, sum(g.seconds) FILTER (g.replicate IS NOT NULL) AS finalist_seconds
    FROM segments AS g WHERE NOT coalesce(g.cached, false) GROUP BY g.study
) AS p ON p.study = s.study
LEFT JOIN (SELECT e.study, max(e.elapsed_seconds) AS elapsed_seconds FROM events AS e GROUP BY e.study) AS c
    ON c.study = s.study
GROUP BY s.study, s.metrics, s.goals, s.method, s.schedule, s.created_at
ORDER BY s.created_at;
COMMENT ON VIEW study_summary IS 'One row a study: how many trials in which state, the best trial and its value, what the search saw, the hours of training and the running time. Example: FROM study_summary;';

CREATE OR REPLACE VIEW failures AS
SELECT
    t.study, t.number, t.failure_kind, t.failure_message, t.budget, t.seconds, t.attempt, t.worker, t.params, t.ended_at
FROM trials AS t WHERE t.state = 'failed';
COMMENT ON VIEW failures IS 'Trials that failed for good. Example: SELECT study, failure_kind, count(*) FROM failures GROUP BY ALL;';

CREATE OR REPLACE VIEW trial_costs AS
SELECT
    t.study, t.number, t.state, t.value, t.budget, t.seconds,
    t.seconds / nullif(t.budget, 0) AS seconds_per_epoch,
    t.seconds / nullif(sum(t.seconds) OVER (PARTITION BY t.study), 0) AS share,
    t.metrics['cost'] AS cost
FROM trials AS t;
COMMENT ON VIEW trial_costs IS 'What each trial took: seconds, seconds per epoch, its share of the study, and the metric cost where it was measured. Example: FROM trial_costs ORDER BY seconds DESC LIMIT 5;';

CREATE OR REPLACE VIEW worker_costs AS
SELECT
    study, worker, count(DISTINCT trial) AS trials, count(*) AS segments, count(*) FILTER (cached) AS cached,
    sum(seconds) FILTER (NOT cached) AS seconds, max(peak_memory_bytes) AS peak_memory_bytes,
    min(started_at) AS first_started_at, max(ended_at) AS last_ended_at,
    sum(seconds) FILTER (NOT cached) / nullif(epoch(max(ended_at) - min(started_at)), 0) AS busy
FROM segments WHERE worker <> ''
GROUP BY study, worker;
COMMENT ON VIEW worker_costs IS 'What each worker did: trials, segments, seconds, peak memory, and the share of its time in which it trained. Example: FROM worker_costs ORDER BY seconds DESC;';

CREATE OR REPLACE VIEW duplicates AS
SELECT study, params::JSON AS params, count(*) AS n, list(number ORDER BY number) AS numbers,
    min(value) AS lowest, max(value) AS highest
FROM trials
GROUP BY study, params::JSON
HAVING count(*) > 1;
COMMENT ON VIEW duplicates IS 'Configurations that were tried more than once, with the spread of their values. Example: FROM duplicates;';

CREATE OR REPLACE VIEW study_parameters AS
SELECT
    s.study, entry.key AS parameter, json_exists(entry.value, '$.min') AS is_range, entry.value AS domain
FROM studies AS s, json_each(s.spec, '$.space') AS entry
WHERE json_type(entry.value) = 'OBJECT' AND entry.key <> 'preset';
COMMENT ON VIEW study_parameters IS 'The parameters of each study with their domains; is_range is true for numbers between two bounds. Example: FROM study_parameters WHERE study = ''digits'';';
