"""The reference page ``schemas/README.md``, made from the models: ``make docs`` writes it.

In: the run spec, documents, answers and the DDL. Out: Markdown. Belongs here: how a model is
described. Does not: the descriptions themselves, which stand beside the fields; explanations and
how-tos, which are pages of their own. ``page.md`` holds the sentences between the tables.
"""
