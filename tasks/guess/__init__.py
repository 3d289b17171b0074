"""Stage: look at a file that has no run spec yet, and propose one.

In: what every column of a landed file looks like (``tasks.store.inputs.profiles``). Out: a run spec
as commented YAML, each line with what it was guessed from. ``vocabulary`` holds the words of the
field, ``columns`` decides on roles, ``page`` writes; all pure.
Does not belong here: whether data can be used (``tasks.validate``); what the keys mean
(``schemas.spec``). A guess is never used without being written down where a person can see it.
"""
