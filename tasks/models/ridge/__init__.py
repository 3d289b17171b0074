"""Kind ``ridge``: ridge regression on carryover and saturation found by cross-validation.

``kind`` declares it. ``design`` says which columns there are and transforms media; ``solve`` is the
constrained ridge itself; ``folds`` scores settings on periods after those that they were fitted to;
``candidates`` holds what may be chosen; ``search`` chooses settings by that score; ``pooling``
finds coefficients of entities; ``bootstrap`` draws by moving blocks of residuals; ``fitted``
evaluates draws.
"""
