-- What belongs to a whole study is made again from its events whenever one of them arrives.
CREATE OR REPLACE TEMP TABLE touched_studies AS
SELECT DISTINCT study FROM arrived
WHERE type IN ('study_opened', 'run_started', 'run_ended', 'search_ended', 'selection_made', 'artifact_written')
UNION
-- A search that was over goes on.
SELECT DISTINCT study FROM arrived SEMI JOIN (FROM studies WHERE search_end IS NOT NULL) USING (study)
WHERE type IN ('decision_made', 'trial_retried');

CREATE OR REPLACE TEMP TABLE study_life AS
SELECT *, json_transform(body, $head) AS event
FROM (
    SELECT * FROM events SEMI JOIN touched_studies USING (study)
    WHERE type IN ('study_opened', 'run_started', 'run_ended', 'selection_made', 'artifact_written')
);

CREATE OR REPLACE TEMP TABLE opened AS
SELECT study, arg_max(body->'spec', version) AS spec, min(written_at) AS created_at, max(written_at) AS changed_at
FROM study_life WHERE type = 'study_opened' GROUP BY study;

-- What decides which trials compete and what their values are: where it changes, all trials are folded again.
INSERT INTO respecified
SELECT o.study
FROM opened AS o LEFT JOIN studies AS s USING (study) LEFT JOIN leaders AS l USING (study)
WHERE l.study IS NULL OR [o.spec->'space', o.spec->'objective', o.spec->'objectives', o.spec->'constraints']
    IS DISTINCT FROM [s.spec->'space', s.spec->'objective', s.spec->'objectives', s.spec->'constraints'];

CREATE OR REPLACE TEMP TABLE search_ends AS
SELECT study, arg_max(e.body->>'reason', e.version) FILTER (e.type = 'search_ended' AND e.version > went_on) AS reason
FROM events AS e
JOIN (
    SELECT
        study,
        coalesce(max(version) FILTER (type IN ('study_opened', 'decision_made', 'trial_retried')), 0) AS went_on
    FROM events SEMI JOIN touched_studies USING (study) GROUP BY study
) USING (study)
WHERE e.type IN ('study_opened', 'search_ended')
GROUP BY study;

-- What a schedule has left at a rung is stopped once the search is over, and paused where it goes on.
INSERT INTO respecified
SELECT study FROM search_ends AS e JOIN studies AS s USING (study)
WHERE (e.reason IS NULL) <> (s.search_end IS NULL);

DELETE FROM studies USING opened WHERE studies.study = opened.study;

INSERT INTO studies
SELECT
    study,
    CASE
        WHEN json_array_length(spec->'objectives') > 0 THEN json_extract_string(spec, '$.objectives[*].metric')
        ELSE [spec->>'$.objective.metric']
    END,
    CASE
        WHEN json_array_length(spec->'objectives') > 0 THEN json_extract_string(spec, '$.objectives[*].goal')
        ELSE [spec->>'$.objective.goal']
    END,
    spec->>'$.search.method',
    spec->>'$.fidelity.schedule',
    coalesce((spec->>'$.fidelity.max')::INTEGER, (spec->>'$.train.epochs')::INTEGER),
    TRY_CAST(spec->>'$.seed' AS BIGINT),
    from_json(spec->'tags', '"MAP(VARCHAR, VARCHAR)"'),
    created_at, changed_at, NULL, spec, NULL, reason
FROM opened LEFT JOIN search_ends USING (study);

DELETE FROM runs USING touched_studies AS t WHERE runs.study = t.study;

INSERT INTO runs
SELECT
    s.study, s.event.run, coalesce(e.event.status, 'running'), s.written_at, e.written_at, s.event.host, s.event.pid,
    s.event.data_fingerprint, s.event.flow_run_id, s.event.git_commit, s.event.git_dirty, s.event.versions,
    e.event.message
FROM study_life AS s
LEFT JOIN study_life AS e ON e.type = 'run_ended' AND e.study = s.study AND e.event.run = s.event.run
WHERE s.type = 'run_started'
ORDER BY s.study, s.version;

DELETE FROM selections USING touched_studies AS t WHERE selections.study = t.study;

INSERT INTO selections
SELECT
    study, event.run, chosen.winner, chosen.metric, chosen.goal,
    TRY_CAST(won->>'mean' AS DOUBLE), TRY_CAST(won->>'$.interval.low' AS DOUBLE),
    TRY_CAST(won->>'$.interval.high' AS DOUBLE), TRY_CAST(won->>'probability_best' AS DOUBLE),
    chosen.ties, json_array_length(chosen.finalists), chosen.reason, chosen.test_metrics, chosen.checkpoint,
    chosen.configuration::VARIANT, chosen.finalists, written_at
FROM (
    SELECT
        study, version, written_at, event, event.selection AS chosen,
        list_filter(
            from_json(event.selection.finalists, '["JSON"]'),
            lambda f: TRY_CAST(f->>'trial' AS INTEGER) = event.selection.winner
        )[1] AS won
    FROM study_life WHERE type = 'selection_made'
)
ORDER BY study, version;

DELETE FROM artifacts USING touched_studies AS t WHERE artifacts.study = t.study;

INSERT INTO artifacts
SELECT study, trial, event.kind, event.path, event.n_bytes, written_at
FROM study_life WHERE type = 'artifact_written'
ORDER BY study, written_at;
