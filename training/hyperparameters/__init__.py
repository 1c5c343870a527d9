"""What each torch kind may be tuned by, with defaults; light, so that a study file is checked without torch."""
