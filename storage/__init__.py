"""Journal, ingest, DuckDB, SQL views and macros, the sandbox; may import schemas only."""
