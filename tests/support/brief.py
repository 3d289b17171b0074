"""A fit of a second that is still accepted: for tests of what happens around it, never of it."""

from typing import Any

BRIEF_SAMPLER: dict[str, Any] = {
    "draws": 300,
    "tune": 300,
    "chains": 2,
    "escalation": {"max_retries": 0},
}
LENIENT_GATES: dict[str, Any] = {
    "sampling": {
        "r_hat_pass": 1.1,
        "r_hat_review": 1.2,
        "ess_pass": 50,
        "ess_review": 25,
        "divergence_share_review": 0.05,
    },
    "fit": {"max_prior_driven_share": 1.0},
    "promote_on_review": True,
}
"""So few draws pass them; what an assertion is about must not be among them."""
