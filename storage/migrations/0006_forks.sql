-- What a decision of population based training copies, and whose place the copy takes; NULL for all other decisions.

ALTER TABLE decisions ADD COLUMN parent INTEGER;
ALTER TABLE decisions ADD COLUMN replaces INTEGER;
ALTER TABLE decisions ADD COLUMN from_budget INTEGER;
