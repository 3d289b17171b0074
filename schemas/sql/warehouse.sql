-- The warehouse: canonical.* is what is known now, with the history of restatements beside it;
-- ops.* is what was done; mart.* is what was published.
create schema if not exists canonical;
create schema if not exists ops;
create schema if not exists mart;

create table if not exists ops.batches (
    batch_id varchar not null,            -- first 16 hex digits of the file's SHA-256
    dataset_id varchar not null,
    source_name varchar not null,
    sha256 varchar not null,
    landing_path varchar not null,
    n_rows bigint not null,
    received_at timestamptz not null,
    known_from date,                      -- knowledge date; null until accepted
    status varchar not null check (status in ('LANDED', 'ACCEPTED', 'REFUSED')),
    primary key (dataset_id, batch_id)
);

create table if not exists canonical.kpi (
    dataset_id varchar not null,
    entity_id varchar not null,
    period_start date not null,
    name varchar not null,
    value double not null,
    batch_id varchar not null,
    known_from date not null
);

create table if not exists canonical.media (
    dataset_id varchar not null,
    entity_id varchar not null,
    period_start date not null,
    name varchar not null,                -- channel
    measure varchar not null check (measure in ('activity', 'spend')),
    value double,                         -- null where the file left it empty
    batch_id varchar not null,
    known_from date not null
);

create table if not exists canonical.controls (
    dataset_id varchar not null,
    entity_id varchar not null,
    period_start date not null,
    name varchar not null,
    value double,
    batch_id varchar not null,
    known_from date not null
);

-- A value that a later batch changed; role is kpi, unit_value, activity, spend or control.
create table if not exists canonical.restated (
    dataset_id varchar not null,
    role varchar not null,
    entity_id varchar not null,
    period_start date not null,
    name varchar not null,
    value double,
    batch_id varchar not null,
    known_from date not null,
    superseded_by varchar not null,
    superseded_from date not null
);

-- What batches changed, or would have changed, of what was known. A batch that was quarantined
-- (decision 'held') and accepted later has rows of both decisions.
create table if not exists ops.restatements (
    dataset_id varchar not null,
    batch_id varchar not null,
    role varchar not null,
    name varchar not null,
    decision varchar not null check (decision in ('accepted', 'held')),
    known_from date not null,             -- knowledge date of the decision
    decided_at timestamptz not null,
    n_values bigint not null,
    n_known bigint not null,
    n_entities bigint not null,
    first_period date not null,
    last_period date not null,
    share double not null,                -- sum of absolute changes over that of known values
    primary key (dataset_id, batch_id, role, name, decision, known_from)
);

create table if not exists ops.snapshots (
    snapshot_id varchar not null,
    dataset_id varchar not null,
    as_of date not null,
    grain varchar not null,
    n_entities bigint not null,
    n_periods bigint not null,
    first_period date not null,
    last_period date not null,
    batch_id varchar,                     -- newest batch it contains
    created_at timestamptz not null,
    primary key (dataset_id, snapshot_id)
);

create table if not exists ops.runs (
    run_id varchar primary key,
    dataset_id varchar not null,
    status varchar not null,
    reason varchar,
    verdict varchar,
    snapshot_id varchar,
    mlflow_run_id varchar,
    model_version bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

-- What decides the numbers of each run, so that a backfill finds a week that is done already.
create table if not exists ops.run_inputs (
    run_id varchar primary key,
    dataset_id varchar not null,
    snapshot_id varchar not null,
    as_of date not null,
    run_key varchar not null              -- SHA-256 of snapshot, spec, as-of date, code, lock file
);

create table if not exists ops.gate_results (
    run_id varchar not null,
    battery varchar not null,             -- raw, canonical, features, sampling, fit, stability
    gate varchar not null,
    verdict varchar not null,
    observed double,
    detail varchar,
    primary key (run_id, battery, gate, detail)
);

-- Every decision on the champion alias. Rows are added, never changed.
create table if not exists ops.promotions (
    dataset_id varchar not null,
    decided_at timestamptz not null,
    version bigint,                       -- champion after the decision; null where there is none
    run_id varchar not null,              -- promoted, gone back to, or not promoted
    from_version bigint,                  -- champion before the decision
    action varchar not null check (action in ('promote', 'rollback', 'keep')),
    reason varchar not null,
    made_by varchar not null check (made_by in ('refit', 'person'))
);

create table if not exists mart.contributions (
    run_id varchar not null,
    dataset_id varchar not null,
    entity_id varchar not null,
    period_start date not null,
    component varchar not null,
    kind varchar not null,
    contribution_mean double not null,
    contribution_low double not null,
    contribution_high double not null
);

create table if not exists mart.fitted (
    run_id varchar not null,
    dataset_id varchar not null,
    entity_id varchar not null,
    period_start date not null,
    actual double not null,
    fitted_mean double not null,
    fitted_low double not null,
    fitted_high double not null
);

create table if not exists mart.roas (
    run_id varchar not null,
    dataset_id varchar not null,
    channel varchar not null,
    spend double,
    contribution_mean double not null,
    contribution_low double not null,
    contribution_high double not null,
    roas_mean double,
    roas_low double,
    roas_high double,
    mroas_mean double,
    cost_per_unit_mean double,
    cost_per_unit_low double,
    cost_per_unit_high double,
    prior_driven boolean not null,
    primary key (run_id, channel)
);

-- How far each accepted refit moved from the champion of its time.
create table if not exists mart.stability (
    run_id varchar not null,
    dataset_id varchar not null,
    champion_run_id varchar not null,
    channel varchar not null,
    quantity varchar not null check (quantity in ('roas', 'share')),
    overlap double not null,              -- of the 50 % intervals; 1 is the same, 0 is apart
    change_sd double,                     -- of the median, in sd of the champion's posterior
    planned_share_change double,          -- share of the planned budget, now minus then
    primary key (run_id, channel)
);

-- One plan: optimized, evaluated by hand, or made by a weekly refit (then named after its run).
create table if not exists mart.scenarios (
    scenario_id varchar primary key,
    name varchar not null,
    dataset_ids varchar not null,         -- sorted, joined by ' + '
    run_ids varchar not null,             -- in the order of dataset_ids
    made_by varchar not null check (made_by in ('plan', 'what_if', 'refit')),
    created_at timestamptz not null,
    utility varchar not null,
    unit varchar not null,
    horizon bigint not null,
    first_period date not null,
    budget double not null,
    current_budget double not null,
    gain_mean double not null,
    gain_low double not null,
    gain_high double not null,
    prob_gain double not null,
    advice varchar not null,
    reason varchar not null,
    mlflow_run_id varchar,
    document varchar not null             -- plan.json
);

create table if not exists mart.plans (
    scenario_id varchar not null,
    channel varchar not null,
    current double not null,
    planned double not null,
    candidate double not null,
    low double not null,
    high double not null,
    action varchar not null,
    reason varchar not null,
    mroas_mean double,
    mroas_low double,
    mroas_high double,
    prior_driven boolean not null,
    is_beyond_observed boolean not null,
    primary key (scenario_id, channel)
);

create table if not exists mart.forecasts (
    run_id varchar not null,
    dataset_id varchar not null,
    kpi varchar not null,                 -- name of the KPI
    scope varchar not null check (scope in ('entity', 'all')),
    entity_id varchar not null,           -- 'all' with scope all: the sum over entities
    period_start date not null,
    periods_ahead bigint not null check (periods_ahead >= 1),
    expected_mean double not null,        -- without observation noise
    kpi_mean double not null,             -- of the draws between kpi_p05 and kpi_p95
    kpi_p05 double not null,
    kpi_p25 double not null,
    kpi_p50 double not null,
    kpi_p75 double not null,
    kpi_p95 double not null,
    primary key (run_id, scope, entity_id, period_start)
);

-- What a forecast supposed, per entity; names and units are those of canonical.
create table if not exists mart.forecast_assumptions (
    run_id varchar not null,
    dataset_id varchar not null,
    entity_id varchar not null,
    period_start date not null,
    measure varchar not null check (measure in ('activity', 'spend', 'control', 'unit_value')),
    name varchar not null,                -- channel or control
    value double not null,
    primary key (run_id, entity_id, period_start, measure, name)
);

-- Forecasts whose periods have happened, beside what happened.
create table if not exists mart.forecast_scores (
    forecast_run_id varchar not null,
    dataset_id varchar not null,
    basis varchar not null check (basis in ('published', 'deployed')),
    scope varchar not null check (scope in ('entity', 'all')),
    entity_id varchar not null,
    period_start date not null,
    periods_ahead bigint not null,
    actual double not null,
    kpi_p50 double not null,
    crps double not null,
    in_50 boolean not null,
    in_90 boolean not null,
    ape double,
    abs_error double not null,
    naive_error double,
    z double,                             -- null where the interval has no width
    first_actual double not null,         -- the KPI when this was scored first
    scored_at timestamptz not null,       -- when these numbers were written
    compared varchar not null,            -- digest of what the forecast was compared with
    primary key (forecast_run_id, basis, scope, entity_id, period_start)
);

create table if not exists ops.alarms (
    dataset_id varchar not null,
    kind varchar not null,
    first_period date not null,
    raised_period date not null,
    raised_at timestamptz not null,
    detail varchar not null,
    cleared_at timestamptz,               -- null while it lasts
    primary key (dataset_id, kind, first_period)
);

-- Why returns are others than those of an earlier run: the parts add up to after - before. A part
-- is null where it could not be told apart; what several did together is then in unsplit.
create table if not exists mart.changes (
    run_a varchar not null,
    run_b varchar not null,
    dataset_id varchar not null,
    channel varchar not null,
    quantity varchar not null check (quantity in ('roas', 'share')),
    before double not null,
    after double not null,
    noise double,
    new_periods double,
    restated double,
    spec_or_code double,
    unsplit double,
    noise_mcse double,                    -- Monte Carlo standard error of the part
    new_periods_mcse double,
    restated_mcse double,
    spec_or_code_mcse double,
    unsplit_mcse double,
    main_cause varchar not null,          -- name of a part
    sentence varchar not null,
    primary key (run_a, run_b, channel)
);

-- The same snapshot and spec fitted again with other seeds: how far returns move by chance alone.
create table if not exists mart.noise_floor (
    run_id varchar not null,              -- whose fit was repeated
    dataset_id varchar not null,
    seed bigint not null,
    channel varchar not null,
    quantity varchar not null check (quantity in ('roas', 'share')),
    mean double not null,                 -- of this repetition
    mcse double not null,
    overlap double not null,              -- with the run's own fit, as in mart.stability
    change_sd double,
    fingerprint varchar not null,         -- code and libraries of the repetition
    measured_at timestamptz not null,
    primary key (run_id, seed, channel)
);

-- Files that the retention policy removed; the rows that speak of them stay. Rows are added first,
-- then the files go.
create table if not exists ops.prunings (
    dataset_id varchar not null,
    kind varchar not null check (kind in ('run', 'landing', 'plan')),
    item_id varchar not null,             -- run, batch or scenario
    n_bytes bigint not null,              -- on the disk of the home
    reason varchar not null,
    decided_at timestamptz not null,
    pruned_at timestamptz,                -- null until the files are gone
    primary key (dataset_id, kind, item_id, decided_at)
);
