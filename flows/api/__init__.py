"""The REST API: resources over HTTP, answered by ``tasks.query`` and by jobs of their own process.

In: requests. Out: the typed answers of ``schemas/answers``, or a problem document (RFC 9457).
Does not belong here: modelling logic, and any import of a model library: the web process stays
light, and what samples or plans runs in a child (``work``).
"""
