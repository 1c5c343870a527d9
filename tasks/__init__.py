"""Prefect tasks: one thin typed file per step, their caching, artifacts and limits; may import execution and below."""
