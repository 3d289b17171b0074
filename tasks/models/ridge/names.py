"""Names of what a fit of kind ``ridge`` publishes; units are those of the scaled KPI."""

from tasks.models.ridge.design import MediaTransform

COEFFICIENT = "coefficient"
"""``(entity, channel)``: KPI at a transformed input of one."""
LINEAR = "gamma_linear"
"""``(entity, term)``: coefficients of the linear terms."""
LEVEL = "level"
"""``(entity,)``: what is left where every column is zero."""
SIGMA = "sigma"
"""``(entity,)``: standard deviation of the noise."""
HYPERPARAMETER = "hyperparameter"
"""``(hyperparameter,)``: of the transforms of media."""
HYPERPARAMETER_DIM = "channel_hyperparameter"
PENALTY = "penalty"
"""``(penalty_group,)``: relative penalties."""
PENALTY_DIM = "penalty_group"
STRENGTH = "pooling_strength"
"""How hard entities are drawn together; absent where there is nothing to pool."""


def hyperparameter_labels(channel: str, transform: MediaTransform) -> list[str]:
    """Return the labels of one channel's hyperparameters, such as ``tv.decay``."""
    return [f"{channel}.{name}" for name in transform.grids]
