-- The models that studies ended in.

CREATE OR REPLACE VIEW models AS
WITH made AS (
    SELECT
        e.study, e.body->>'$.run' AS run, (e.body->>'$.model.trial')::INTEGER AS trial,
        e.body->>'$.model.form' AS form, e.body->>'$.model.final' AS final, e.body->>'$.model.content' AS content, (e.body->>'$.model.n_bytes')::BIGINT AS n_bytes,
        (e.body->>'$.model.card')::JSON AS card,
        (e.body->'$.model.metrics')::MAP(VARCHAR, DOUBLE) AS metrics, e.written_at AS made_at
    FROM events AS e WHERE e.type = 'model_made' AND e.body->>'$.model.path' IS NOT NULL
),
promotions AS (
    SELECT
        p.study AS promoted_as, coalesce(nullif(p.body->>'$.source', ''), p.study) AS source, p.body->>'$.run' AS run, p.written_at AS promoted_at,
        row_number() OVER (PARTITION BY p.study ORDER BY p.written_at DESC, p.journal DESC, p.seq DESC) AS place
    FROM events AS p WHERE p.type = 'model_promoted'
),
-- One row for each: what was promoted, taken back and promoted again stands as it does now.
promoted AS (
    SELECT
        q.source, q.run, arg_min(q.promoted_as, q.place) AS promoted_as, max(q.promoted_at) AS promoted_at,
        min(q.place) AS place
    FROM promotions AS q GROUP BY q.source, q.run
)
SELECT
    m.study, m.run, m.trial, m.form, m.final,
    CASE
        WHEN p.place = 1 THEN 'current'
        WHEN p.place > 1 THEN 'former'
        WHEN m.made_at = max(m.made_at) OVER (PARTITION BY m.study) THEN 'latest'
        ELSE 'earlier'
    END AS standing,
    p.promoted_as, p.promoted_at, m.metrics, m.made_at, m.n_bytes, m.content, m.card
FROM made AS m LEFT JOIN promoted AS p ON p.source = m.study AND p.run = m.run;
COMMENT ON VIEW models IS 'The models that runs ended in. standing is current (promoted), former (was promoted), latest (the newest of its study) or earlier; promoted_as is the study under whose name it is or was current. metrics are those of these very weights on the held-out rows. Example: SELECT study, run, standing, made_at FROM models ORDER BY made_at DESC;';
COMMENT ON COLUMN models.study IS 'Study whose run made it.';
COMMENT ON COLUMN models.run IS 'Run that made it; STUDY@RUN is its name.';
COMMENT ON COLUMN models.trial IS 'Winner whose configuration it has.';
COMMENT ON COLUMN models.form IS 'torch, sklearn, ensemble (several of them averaged), or files where a user''s own code trained it.';
COMMENT ON COLUMN models.final IS 'best: the best fresh seed as it is; refit: trained on all rows that are not held out; all: on these too; ensemble: of finalists, where that is better than the winner.';
COMMENT ON COLUMN models.standing IS 'current, former, latest or earlier.';
COMMENT ON COLUMN models.promoted_as IS 'Study under whose name it is or was current; NULL where it never was.';
COMMENT ON COLUMN models.promoted_at IS 'When it was promoted last.';
COMMENT ON COLUMN models.metrics IS 'Of these weights on the held-out rows: metrics[''test_loss''].';
COMMENT ON COLUMN models.made_at IS 'When it was made.';
COMMENT ON COLUMN models.n_bytes IS 'Size of its file.';
COMMENT ON COLUMN models.content IS 'SHA-256 of its file.';
COMMENT ON COLUMN models.card IS 'Its card as JSON: limits, and diagnostics on rows that it did not learn from (confusion, residuals, calibration, slices, importance): card->>''$.diagnostics.calibration.brier''. NULL where an earlier pegbox made it.';
