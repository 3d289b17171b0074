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
    known_from date not null,
    primary key (dataset_id, entity_id, period_start, name)
);

create table if not exists canonical.media (
    dataset_id varchar not null,
    entity_id varchar not null,
    period_start date not null,
    name varchar not null,                -- channel
    measure varchar not null check (measure in ('activity', 'spend')),
    value double,                         -- null where the file left it empty
    batch_id varchar not null,
    known_from date not null,
    primary key (dataset_id, entity_id, period_start, name, measure)
);

create table if not exists canonical.controls (
    dataset_id varchar not null,
    entity_id varchar not null,
    period_start date not null,
    name varchar not null,
    value double,
    batch_id varchar not null,
    known_from date not null,
    primary key (dataset_id, entity_id, period_start, name)
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

create table if not exists ops.gate_results (
    run_id varchar not null,
    battery varchar not null,             -- raw, canonical, features, sampling, fit
    gate varchar not null,
    verdict varchar not null,
    observed double,
    detail varchar,
    primary key (run_id, battery, gate, detail)
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
    contribution_high double not null,
    primary key (run_id, entity_id, period_start, component)
);

create table if not exists mart.fitted (
    run_id varchar not null,
    dataset_id varchar not null,
    entity_id varchar not null,
    period_start date not null,
    actual double not null,
    fitted_mean double not null,
    fitted_low double not null,
    fitted_high double not null,
    primary key (run_id, entity_id, period_start)
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
