"""Other seeds than the spec's, the same ones every time."""

import numpy as np


def derive_seed(seed: int, place: int) -> int:
    """Return another seed for each place, in the range that a run spec takes."""
    return int(np.random.SeedSequence(seed, spawn_key=(place,)).generate_state(1)[0])
