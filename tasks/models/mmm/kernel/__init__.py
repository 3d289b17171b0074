"""Log density of kind ``mmm`` and its gradient, compiled once per machine.

PyTensor freezes a panel into its graph, so every refit compiles for 6 to 15 seconds. Here data come
in as arguments: one function serves every panel, spec and week, and its machine code is kept on
disk. Logarithms and exponentials, which are what a gradient spends its time on, are written so that
the compiler turns them into vector instructions. ``tests/unit/models/test_mmm_kernel.py`` holds
value and gradient equal to the PyMC graph's.
"""
