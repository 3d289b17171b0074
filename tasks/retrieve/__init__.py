"""Stage: give back what runs left behind, and read what a user hands in.

In: a run id, or a run spec file. Out: records, summaries, exported tables with a data dictionary.
Invariant: nothing stored is changed; an export never overwrites a file unless told to.
Does not belong here: Prefect (the command line must answer at once), or any judgement.
"""
