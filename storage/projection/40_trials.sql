-- A trial's rows are made again from all its events whenever one of them arrives, so the order of arrival is nothing.
CREATE OR REPLACE TEMP TABLE touched AS
SELECT DISTINCT study, trial FROM arrived
WHERE type IN (
    'decision_made', 'segment_started', 'segment_trained', 'trial_evaluated', 'trial_failed', 'trial_retried',
    'trial_reopened'
)
    AND trial IS NOT NULL
UNION
SELECT DISTINCT study, trial FROM events SEMI JOIN respecified USING (study) WHERE trial IS NOT NULL;

CREATE OR REPLACE TEMP TABLE life AS
SELECT *, json_transform(body, $head) AS event
FROM (
    SELECT study, trial, version, type, written_at, body FROM events SEMI JOIN touched USING (study, trial)
    WHERE version IS NOT NULL
);

-- Deleted and made anew instead of updated: one fold is right for lines that come late, twice or in another order,
-- which an update by event would each have to know.
DELETE FROM decisions USING touched AS t WHERE decisions.study = t.study AND decisions.trial = t.trial;

INSERT INTO decisions
SELECT
    study, event.number, event.decision.kind, trial, event.decision.to_budget, event.saw, version,
    event.elapsed_seconds, written_at, event.decision.parent, event.decision.replaces, event.decision.from_budget
FROM life WHERE type = 'decision_made'
ORDER BY study, version;

DELETE FROM evaluations USING touched AS t WHERE evaluations.study = t.study AND evaluations.trial = t.trial;

INSERT INTO evaluations
SELECT
    l.study, l.trial, measured.budget, measured.fold, measured.replicate, measured.metrics[s.metrics[1]],
    measured.metrics, measured.seconds, l.event.state, l.written_at
FROM (SELECT *, event.evaluation AS measured FROM life WHERE type = 'trial_evaluated') AS l
LEFT JOIN studies AS s USING (study)
LEFT JOIN (SELECT study, trial, max(version) AS version FROM life WHERE type = 'trial_reopened' GROUP BY ALL) AS again
    ON again.study = l.study AND again.trial = l.trial
-- What fresh seeds gave at a full budget that was raised since is in the events alone.
WHERE measured.replicate IS NULL OR again.version IS NULL OR l.version > again.version
ORDER BY l.study, l.trial, l.version;

DELETE FROM segments USING touched AS t WHERE segments.study = t.study AND segments.trial = t.trial;

INSERT INTO segments
SELECT
    s.study, s.trial, s.attempt, s.fold, s.replicate, from_budget, to_budget,
    any_value(event.trained.budget), any_value(seed), any_value(event.run),
    coalesce(any_value(event.trained.seconds), any_value(f.seconds)), any_value(event.trained.device),
    any_value(event.trained.peak_memory_bytes), any_value(event.trained.worker),
    coalesce(any_value(event.cached), if(any_value(f.failed_at) IS NULL, NULL, false)),
    any_value(event.trained.stopped_early), any_value(event.trained.restarted), any_value(event.trained.checkpoint),
    min(written_at) FILTER (type = 'segment_started'),
    coalesce(max(written_at) FILTER (type = 'segment_trained'), any_value(f.failed_at))
FROM (
    SELECT
        study, trial, written_at, type, event,
        coalesce(event.segment.attempt, event.attempt) AS attempt,
        coalesce(event.segment.fold, event.fold) AS fold,
        coalesce(event.segment.replicate, event.replicate) AS replicate,
        coalesce(event.segment.from_budget, event.from_budget) AS from_budget,
        coalesce(event.segment.to_budget, event.to_budget) AS to_budget,
        coalesce(event.segment.seed, event.seed) AS seed
    FROM life WHERE type IN ('segment_started', 'segment_trained')
) AS s
-- An attempt that failed while it trained left its last segment without an end.
LEFT JOIN (
    SELECT
        study, trial, event.attempt AS attempt, coalesce(event.fold, 0) AS fold, event.replicate AS replicate,
        max(event.failure.seconds) AS seconds, max(written_at) AS failed_at
    FROM life WHERE type = 'trial_failed' GROUP BY ALL
) AS f ON f.study = s.study AND f.trial = s.trial AND f.attempt = s.attempt AND f.fold = s.fold
    AND f.replicate IS NOT DISTINCT FROM s.replicate
GROUP BY ALL
ORDER BY s.study, s.trial, s.attempt, s.replicate, from_budget, s.fold;

DELETE FROM attempts USING touched AS t WHERE attempts.study = t.study AND attempts.trial = t.trial;

INSERT INTO attempts
SELECT
    study, trial, attempt, replicate,
    CASE
        WHEN bool_or(type = 'trial_failed') THEN 'failed'
        WHEN count(*) FILTER (type = 'segment_trained') >= count(*) FILTER (type = 'segment_started') THEN 'trained'
        WHEN attempt < max(attempt) OVER (PARTITION BY study, trial, replicate) THEN 'lost'
        ELSE 'running'
    END,
    arg_max(event.run, version), arg_max(event.trained.worker, version), sum(coalesce(event.trained.seconds, event.failure.seconds)),
    min(written_at) FILTER (type = 'segment_started'),
    CASE
        WHEN bool_or(type = 'trial_failed')
            OR count(*) FILTER (type = 'segment_trained') >= count(*) FILTER (type = 'segment_started')
        THEN max(written_at)
    END,
    arg_max(event.failure.kind, version), arg_max(event.failure.message, version),
    arg_max(event.failure.traceback, version)
FROM (
    SELECT
        study, trial, version, written_at, type, event,
        coalesce(event.segment.attempt, event.attempt) AS attempt,
        coalesce(event.segment.replicate, event.replicate) AS replicate
    FROM life WHERE type IN ('segment_started', 'segment_trained', 'trial_failed')
)
GROUP BY study, trial, attempt, replicate
ORDER BY study, trial, replicate, attempt;

CREATE OR REPLACE TEMP TABLE folded AS
WITH changes AS (
    SELECT
        *,
        CASE
            WHEN type = 'decision_made' AND event.decision.kind = 'stop' THEN 'stopped'
            WHEN type = 'decision_made' OR (type = 'trial_retried' AND event.replicate IS NULL) THEN 'proposed'
            WHEN type = 'trial_reopened' THEN 'paused'
            WHEN type = 'segment_started' AND event.segment.replicate IS NULL THEN 'running'
            WHEN type = 'trial_evaluated' AND event.evaluation.replicate IS NULL AND event.evaluation.fold IS NULL
                THEN event.state
            WHEN type = 'trial_failed' AND event.replicate IS NULL AND event.final THEN 'failed'
        END AS state,
        CASE
            WHEN type = 'trial_evaluated' AND event.evaluation.replicate IS NULL AND event.evaluation.fold IS NULL
                THEN event.evaluation
        END AS measured,
        CASE
            WHEN type = 'segment_started' AND event.segment.replicate IS NULL THEN event.segment.attempt
            WHEN type = 'trial_retried' AND event.replicate IS NULL THEN event.attempt
        END AS attempt
    FROM life
),
lives AS (
    SELECT
        study, trial,
        arg_max(state, version) AS state,
        arg_max(measured, version) AS measured,
        -- By version and never by time: clocks of machines differ, versions are counted by the one driver.
        arg_max(event.decision.to_budget, version) AS to_budget,
        sum(coalesce(event.trained.seconds, event.failure.seconds)) FILTER (event.replicate IS NULL) AS trained_seconds,
        arg_max(event.failure, version) FILTER (state = 'failed') AS failure,
        arg_min(event.decision.configuration, version) AS configuration,
        arg_min(event.decision.from_budget, version) AS inherited,
        arg_min(event.seed, version) FILTER (type = 'decision_made') AS seed,
        arg_max(attempt, version) AS attempt,
        arg_max(event.run, version) FILTER (state = 'running') AS run,
        arg_max(event.trained.worker, version) FILTER (event.replicate IS NULL) AS worker,
        arg_max(event.trained.device, version) FILTER (event.replicate IS NULL) AS device,
        min(written_at) FILTER (type = 'decision_made') AS created_at,
        min(written_at) FILTER (state = 'running') AS started_at,
        arg_max(written_at, version) FILTER (state IS NOT NULL) AS changed_at,
        -- Where an earlier version wrote, only decisions say when they were made.
        arg_max({'seconds': event.elapsed_seconds, 'at': written_at}, version)
            FILTER (state IS NOT NULL AND event.elapsed_seconds IS NOT NULL) AS told
    FROM changes GROUP BY study, trial
),
outcomes AS (
    SELECT
        lives.* REPLACE (if(state = 'paused' AND s.search_end IS NOT NULL, 'stopped', state) AS state), s.metrics
    FROM lives LEFT JOIN studies AS s USING (study)
    WHERE state IS NOT NULL
)
SELECT
    study, trial AS number, state, measured.metrics[o.metrics[1]] AS value,
    list_transform(o.metrics, lambda metric: measured.metrics[metric]) AS "values", measured.metrics AS metrics,
    coalesce(measured.budget, inherited, 0) AS budget, to_budget, coalesce(trained_seconds, measured.seconds) AS seconds,
    CASE WHEN state = 'failed' THEN failure.kind END AS failure_kind,
    CASE WHEN state = 'failed' THEN failure.message END AS failure_message,
    configuration, o.seed AS seed, coalesce(attempt, 1) AS attempt, run, worker, device,
    o.created_at AS created_at, started_at,
    CASE WHEN state IN ('completed', 'stopped', 'failed') THEN o.changed_at END AS ended_at,
    CASE
        WHEN state IN ('completed', 'stopped', 'failed')
        -- Never back: two clocks may disagree, and running time that falls would show a trial as ended before it
        -- began.
        THEN told.seconds + greatest(0, epoch(o.changed_at) - epoch(told.at))
    END AS elapsed_seconds
FROM outcomes AS o
ORDER BY study, number;
