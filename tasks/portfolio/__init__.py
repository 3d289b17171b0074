"""Stage: many brands in one run: which there are, what they may take, and what became of them.

In: a portfolio file. Out: a plan with one refit per brand, its problem where there is none, and its
memory; per brand what it came to, as soon as it is known; the summary as JSON, CSV, artifact and
one run in MLflow that the brands' own runs name as their parent.
Invariant: whatever is wrong with one brand is a row of that brand and stops no other; what was
recorded of a brand is on disk before the next one begins, so a killed portfolio goes on with those
that are left.
Does not belong here: processes (``flows.services.brand_workers``), what a refit does.
"""
