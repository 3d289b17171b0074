"""What is asked of finished runs, by the command line, the API and the app alike.

In: a run id, or a run spec file. Out: typed answers, exported tables with a data dictionary.
Invariant: nothing stored is changed; an export never overwrites a file unless reported to.
Does not belong here: Prefect (the command line must answer at once), or any judgement.
"""
