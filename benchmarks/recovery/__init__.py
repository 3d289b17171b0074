"""What the recovery benchmarks share: worlds whose truth is known, fits of them, and scores.

``worlds``, ``sets`` and ``generator`` make worlds; ``our_core`` and ``published_spec`` fit them;
``scores`` compares a fit with the truth; ``cell`` and ``memory`` measure one fit, ``gradient_cell``
one density, each in a ``process`` of its own; ``ranks`` calibrates our kernel against its prior.
"""
