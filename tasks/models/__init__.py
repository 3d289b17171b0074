"""Model kinds behind one contract: a new kind is one new folder here.

Each kind has ``graph.py`` (the PyMC model, imported only to sample) and ``fitted.py`` (what its
draws say, in NumPy). Everything after the fit reads only ``contract.FittedModel``.
"""
