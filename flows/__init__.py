"""Prefect flows and the loop of a study: what happens after what; may import tasks and below, does no arithmetic."""
