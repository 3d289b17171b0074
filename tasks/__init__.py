"""Stages of a refit, one folder each, beside four libraries.

``tasks/mathematics`` holds the mathematics of the field, ``tasks/models`` the model kinds behind
the one contract, ``tasks/store`` everything that opens a file, a database or a server,
``tasks/query`` what is asked of finished runs. Any other folder is a stage: ``task.py`` reads,
calls and writes; the other modules are pure. No stage imports another.
"""
