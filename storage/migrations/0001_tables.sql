-- The tables. No foreign keys and no secondary indexes: both have open bugs in DuckDB 2.0, and zone maps do the work.

CREATE TABLE journals (
    name VARCHAR NOT NULL,
    byte_offset BIGINT NOT NULL,
    n_events BIGINT NOT NULL,
    n_bad BIGINT NOT NULL,
    last_seq BIGINT NOT NULL
);

CREATE TABLE quarantine (
    journal VARCHAR NOT NULL,
    byte_offset BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    line VARCHAR NOT NULL,
    found_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE events (
    study VARCHAR NOT NULL,
    version BIGINT,
    type VARCHAR NOT NULL,
    trial INTEGER,
    written_at TIMESTAMPTZ NOT NULL,
    journal VARCHAR NOT NULL,
    seq BIGINT NOT NULL,
    body JSON NOT NULL
);

CREATE TABLE studies (
    study VARCHAR NOT NULL,
    metrics VARCHAR[] NOT NULL,
    goals VARCHAR[] NOT NULL,
    method VARCHAR NOT NULL,
    schedule VARCHAR NOT NULL,
    full_budget INTEGER NOT NULL,
    seed BIGINT,
    tags MAP(VARCHAR, VARCHAR) NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    view_name VARCHAR,
    spec JSON NOT NULL
);

CREATE TABLE runs (
    study VARCHAR NOT NULL,
    run VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    host VARCHAR NOT NULL,
    pid INTEGER NOT NULL,
    data_fingerprint VARCHAR,
    flow_run_id VARCHAR,
    git_commit VARCHAR,
    git_dirty BOOLEAN,
    versions MAP(VARCHAR, VARCHAR) NOT NULL,
    message VARCHAR
);

CREATE TABLE decisions (
    study VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    trial INTEGER NOT NULL,
    to_budget INTEGER,
    saw BIGINT NOT NULL,
    version BIGINT NOT NULL,
    elapsed_seconds DOUBLE,
    decided_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE trials (
    study VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    value DOUBLE,
    "values" DOUBLE[],
    metrics MAP(VARCHAR, DOUBLE),
    budget INTEGER NOT NULL,
    to_budget INTEGER,
    seconds DOUBLE,
    failure_kind VARCHAR,
    failure_message VARCHAR,
    params VARIANT,
    seed BIGINT,
    attempt INTEGER NOT NULL,
    run VARCHAR,
    worker VARCHAR,
    device VARCHAR,
    created_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ
);

CREATE TABLE attempts (
    study VARCHAR NOT NULL,
    trial INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    replicate INTEGER,
    state VARCHAR NOT NULL,
    run VARCHAR,
    worker VARCHAR,
    seconds DOUBLE,
    started_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,
    failure_kind VARCHAR,
    failure_message VARCHAR,
    failure_traceback VARCHAR
);

CREATE TABLE segments (
    study VARCHAR NOT NULL,
    trial INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    fold INTEGER NOT NULL,
    replicate INTEGER,
    from_budget INTEGER NOT NULL,
    to_budget INTEGER NOT NULL,
    reached INTEGER,
    seed BIGINT,
    run VARCHAR,
    seconds DOUBLE,
    device VARCHAR,
    peak_memory_bytes BIGINT,
    worker VARCHAR,
    cached BOOLEAN,
    stopped_early BOOLEAN,
    restarted BOOLEAN,
    checkpoint VARCHAR,
    started_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ
);

CREATE TABLE metrics (
    study VARCHAR NOT NULL,
    trial INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    fold INTEGER NOT NULL,
    replicate INTEGER,
    step INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    value DOUBLE,
    seed BIGINT,
    reported_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE evaluations (
    study VARCHAR NOT NULL,
    trial INTEGER NOT NULL,
    budget INTEGER NOT NULL,
    fold INTEGER,
    replicate INTEGER,
    value DOUBLE,
    metrics MAP(VARCHAR, DOUBLE) NOT NULL,
    seconds DOUBLE,
    state VARCHAR NOT NULL,
    evaluated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE selections (
    study VARCHAR NOT NULL,
    run VARCHAR NOT NULL,
    winner INTEGER NOT NULL,
    metric VARCHAR NOT NULL,
    goal VARCHAR NOT NULL,
    mean DOUBLE,
    low DOUBLE,
    high DOUBLE,
    probability_best DOUBLE,
    ties INTEGER[] NOT NULL,
    n_finalists INTEGER NOT NULL,
    reason VARCHAR NOT NULL,
    test_metrics MAP(VARCHAR, DOUBLE) NOT NULL,
    checkpoint VARCHAR,
    params VARIANT,
    finalists JSON NOT NULL,
    selected_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE artifacts (
    study VARCHAR NOT NULL,
    trial INTEGER,
    kind VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    n_bytes BIGINT,
    written_at TIMESTAMPTZ NOT NULL
);
