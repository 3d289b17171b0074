"""One page that a marketer wants to read: what happened, what changed, what to do.

In: the files of a run (and of the run before it). Out: one HTML file that opens from disk without a
network. Invariant: every figure and number traces to a table of the run. Does not belong here: any
number that is not in a file yet.
"""
