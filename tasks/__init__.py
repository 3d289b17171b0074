"""Stages of a refit, one folder each, beside three libraries.

``tasks/mmm`` holds the mathematics of the field, ``tasks/models`` the model kinds behind the one
contract, ``tasks/store`` everything that opens a file, a database or a server. Any other folder is
a stage: ``task.py`` reads, calls and writes; the other modules are pure. No stage imports another.
"""
