"""Prefect flows: which task runs after which; may import tasks and below, does no arithmetic."""
