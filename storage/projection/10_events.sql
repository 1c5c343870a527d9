-- A driver numbers its events, so an event that is met again is left out, and one that contradicts is set aside.
CREATE OR REPLACE TEMP TABLE arrived AS
SELECT * FROM batch
WHERE study IS NOT NULL AND type IN (
    'study_opened', 'run_started', 'run_ended', 'decision_made', 'segment_started', 'segment_trained',
    'trial_evaluated', 'trial_failed', 'trial_retried', 'trial_reopened',
    'selection_made', 'artifact_written', 'model_made', 'model_promoted',
    'schedule_step', 'search_ended', 'earlier_chosen', 'study_renamed', 'study_dropped', 'study_merged', 'note_written'
);

-- Two drivers of one study cannot be (study_lock); a store that was copied, run twice and merged can. The first one
-- stays, whatever the second one says: decisions that rest on it are recorded.
INSERT INTO quarantine
SELECT a.journal, a.byte_offset, 'version ' || a.version || ' of the study is taken by another event', a.body, now()
FROM arrived AS a JOIN events AS e ON a.study = e.study AND a.version = e.version
WHERE a.body <> e.body
    AND NOT EXISTS (FROM quarantine AS q WHERE q.journal = a.journal AND q.line = a.body);

INSERT INTO events
SELECT study, version, type, trial, written_at, journal, seq, body, event.elapsed_seconds
FROM (
    SELECT *, row_number() OVER (PARTITION BY study, version ORDER BY written_at, journal, seq) AS copy
    FROM arrived WHERE version IS NOT NULL
) AS a
WHERE copy = 1 AND NOT EXISTS (FROM events AS e WHERE e.study = a.study AND e.version = a.version)
ORDER BY study, version;

-- Other events have no number of their own; the same words at the same microsecond are the same event, whichever
-- journal it is met in: a copy, or one into which it was saved.
INSERT INTO events
SELECT study, version, type, trial, written_at, journal, seq, body, NULL FROM arrived AS a
WHERE version IS NULL AND NOT EXISTS (
    FROM events AS e
    WHERE e.study = a.study AND e.version IS NULL AND e.written_at = a.written_at AND e.body = a.body
);
