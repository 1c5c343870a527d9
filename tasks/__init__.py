"""Prefect tasks: one thin typed file per step; may import report and below."""
