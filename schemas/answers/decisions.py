"""What a person's decision on the champion came to."""

from schemas.documents.promotions import Promotion


class DecidedChampion(Promotion):
    """``mmm accept --json``: the decision, and who is champion now; ``mmm rollback`` the same."""

    champion: str
    """As in ``demo@3``."""

    @classmethod
    def of(cls, row: Promotion) -> "DecidedChampion":
        """Return the answer to a decision that made a version champion."""
        return cls(**row.model_dump(), champion=f"{row.dataset_id}@{row.version}")
