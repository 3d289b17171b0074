"""Can this data answer the question? KPIs whose truth is known, on the real media and controls.

In: a spec, the panel of its data, and draws of what it believes. Out: simulated KPIs with their
truth, scores of their refits, one answer per channel. Does not belong here: how anything is fitted,
judged or planned; a refit of a simulated KPI takes the same steps as that of a real one.
"""
