"""The web app: pages in the API's own process, made of the same typed answers.

In: requests of browsers. Out: HTML that asks no other host for anything, whose numbers, words and
colours are those of the report.
Does not belong here: modelling logic, SQL, and any import of a model library. A page reads through
``tasks.query`` and ``flows.api.services``; what takes long is a job there.
"""
