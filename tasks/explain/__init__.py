"""Why returns are others than those of an earlier run: comparison, auxiliary fits, split.

Belongs here: what changed between two runs, which fits tell the factors apart, the parts of a
change and their words; how returns move from refit to refit, and how far chance alone moves them
(``task_stability``). Does not: fitting (``tasks.fit``), features (``tasks.features``), whether a
move is too large (``tasks.diagnose``).
Invariant: the parts of a channel add up to its change; a factor that could not be told apart has no
part of its own.
"""
