"""Kind ``mmm``: learned carryover and saturation, sampled on contribution shares.

``kind`` declares it. ``constants`` fixes a posterior; ``graph`` says it in PyMC, ``kernel``
computes its density in machine code; ``derive`` and ``fitted`` evaluate draws in NumPy; ``stock``
turns them into a stock pymc-marketing ``MMM`` with the same adstock and saturation.
"""
