-- The folded trials with what the rule says of them: `judged` and `broken` were made by `eligibility` from `folded`.
DELETE FROM trials USING touched AS t WHERE trials.study = t.study AND trials.number = t.trial;

-- VARIANT: one column for every space, and typed views above it (see study_views for what that saves).
INSERT INTO trials BY NAME
SELECT f.* EXCLUDE (configuration), f.configuration::VARIANT AS params, j.competes, j.excluded_by, j.loss
FROM folded AS f LEFT JOIN judged AS j USING (study, number)
ORDER BY f.study, f.number;

DELETE FROM violations USING touched AS t WHERE violations.study = t.study AND violations.number = t.trial;

INSERT INTO violations BY NAME FROM broken ORDER BY study, number;
