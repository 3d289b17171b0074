"""The command line: one file per verb or pair of verbs; ``app`` gathers them.

Belongs here: options, asking a flow or ``tasks.query``, exit codes.
Does not: how an answer looks (``flows.cli.render``), what a verb does (``flows``, ``tasks``).
"""
