"""What the priors of a run spec say of a dataset, without a fit and without a run."""

from schemas.documents.fit import PriorPredictive
from schemas.refs import FeaturesRef
from schemas.spec.run_spec import RunSpec
from tasks.store.files.fits import read_features
from tasks.store.home import current_home


def predict_prior(features: FeaturesRef, spec: RunSpec) -> PriorPredictive:
    """Return what is believed of channels and KPI before anything is fitted; nothing is kept."""
    from tasks.models.opening import open_data

    data = open_data(read_features(current_home(), features))
    prior = data.kind.predict_prior(data.panel, data.inputs, seed=spec.sampler.random_seed)
    return PriorPredictive.model_validate(prior)
