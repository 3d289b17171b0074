"""The stages of a refit, one by one, without Prefect.

For a notebook, on Databricks or elsewhere: each cell is one stage, called as the plain function
that its task wraps (``.fn``). No server starts, and nothing is published: no version is
registered, no champion changes. What counts is refitted by ``mmm refit`` or by a deployment.

Run it whole: ``python data/demo/notebook.py``, with ``MMM_HOME`` set to a folder of its own.
"""

# %%
from datetime import date
from pathlib import Path

from schemas.names import Artifact
from schemas.refs import StepKey
from tasks.attribute.task import attribute_kpi
from tasks.canonicalize.task import canonicalize_batch, take_snapshot
from tasks.diagnose.task import diagnose_posterior
from tasks.features.task import build_features
from tasks.fit.task import fit_posterior
from tasks.ingest.task import ingest_file
from tasks.query.runs import load_spec, locate_data, read_figures
from tasks.store.home import current_home
from tasks.validate.task import validate_canonical, validate_features, validate_raw

HERE = Path(__file__).resolve().parent
SPEC_FILE = HERE / "run_spec.yaml"
AS_OF = date(2026, 11, 23)
KEY = StepKey(run_id="notebook")

# %% What is to be fitted
spec = load_spec(SPEC_FILE)
data = locate_data(spec, spec_path=SPEC_FILE, override=None)

# %% A file becomes a batch, and the batch is judged as text
batch = ingest_file.fn(str(data), spec)
raw = validate_raw.fn(KEY, batch, spec)
print(batch.n_rows, "rows;", raw.verdict)  # noqa: T201

# %% It becomes canonical, is judged as a panel, and is frozen under an id made of its content
candidate = canonicalize_batch.fn(KEY, batch, spec, AS_OF)
canonical = validate_canonical.fn(KEY, candidate, spec)
snapshot = take_snapshot.fn(KEY, candidate, spec, AS_OF)
print("snapshot", snapshot.snapshot_id, canonical.verdict)  # noqa: T201

# %% Features, and whether a model can be fitted to them
features = build_features.fn(KEY, snapshot, spec)
checked = validate_features.fn(KEY, features, spec)
findings = [*raw.findings, *canonical.findings, *checked.findings]
for finding in findings:
    print("-", finding.message)  # noqa: T201

# %% The fit, and whether it sampled well
posterior = fit_posterior.fn(KEY, features, spec)
diagnostics = diagnose_posterior.fn(KEY, posterior, features, findings, spec)
print(diagnostics.verdict, diagnostics.metrics.get("r_hat_max"))  # noqa: T201

# %% What the channels brought
attribution = attribute_kpi.fn(KEY, posterior, features, diagnostics, spec)
figures = read_figures(KEY.run_id)
for channel, returns in figures.roas.items():
    print(f"{channel:<10} ROAS {returns.roas_mean:.2f}")  # noqa: T201
print(current_home().run_dir(KEY.run_id) / Artifact.CONTRIBUTIONS)  # noqa: T201
