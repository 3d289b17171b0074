"""Stage: give the champion alias back to an earlier version.

In: a dataset, and a version or none. Out: the alias moved, a row of ``ops.promotions``, a tag on
the version that lost it; together, or not at all. Does not belong here: promotion by a refit.
"""
