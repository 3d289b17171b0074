"""Fit: sample the posterior of one set of features.

In: features with metadata and scaler, the run spec's sampler settings.
Out: ``prior_predictive.json`` (before sampling), ``posterior.nc`` (parameters only),
``posterior_summary.json``, ``model_metadata.json``.
Invariant: same features, settings, seed and lock file give the same draws, bit for bit, on the same
machine.
Not here: what the draws mean (``tasks.models``), whether they can be trusted (``tasks.diagnose``).
"""
