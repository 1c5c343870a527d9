-- The lines of a batch as typed events; what does not fit its type becomes NULL.
-- The columns are named in head.json and not left to be inferred: an inferred type would depend on what else is in the
-- batch, and the same line would be read in two ways.
CREATE OR REPLACE TEMP TABLE batch AS
SELECT
    journal, seq, byte_offset, to_timestamp(written_at) AS written_at, version, body, event,
    event.type AS type, event.study AS study, coalesce(event.trial, event.segment.trial) AS trial
FROM (SELECT *, json_transform(body, $head) AS event FROM incoming);

-- A line of a type that this program does not know stays readable in the quarantine.
INSERT INTO quarantine
SELECT journal, byte_offset, 'unknown event type ' || coalesce(type, 'NULL'), body, now()
FROM batch
WHERE NOT EXISTS (FROM quarantine AS q WHERE q.journal = batch.journal AND q.line = batch.body)
    AND (study IS NULL OR type IS NULL OR type NOT IN (
    'study_opened', 'run_started', 'run_ended', 'decision_made', 'segment_started', 'segment_trained',
    'metrics_reported', 'trial_evaluated', 'trial_failed', 'trial_retried', 'trial_reopened',
    'selection_made', 'artifact_written', 'model_made', 'model_promoted',
    'schedule_step', 'search_ended', 'earlier_chosen', 'study_renamed', 'study_dropped', 'note_written'
));
