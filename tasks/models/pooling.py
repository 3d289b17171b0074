"""How entities belong together, where a kind leaves it to the spec."""

from schemas.spec.ridge import Pooling


def effective_pooling(stated: Pooling, n_entities: int) -> Pooling:
    """Return the pooling that is used: a single entity has nothing to be pooled with.

    Parameters
    ----------
    stated
        What the spec says, or what the kind takes where it says nothing.
    n_entities
        Entities of the panel.
    """
    return stated if n_entities > 1 else Pooling.COMPLETE
