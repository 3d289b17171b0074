"""What the warehouse knows of a dataset on a day, without a file: its roles and its rows."""

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.errors import DataContractError
from schemas.spec.roles import ColumnRoles, resolve_roles
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.stored_roles import header_of_stored
from tasks.store.inputs import landing_rows
from tasks.store.warehouse import canonical

if TYPE_CHECKING:
    import pandas as pd


class KnownPanel(NamedTuple):
    """Rows that are known on a day, and what their columns are."""

    roles: ColumnRoles
    panel: "pd.DataFrame"


def read_known(con: Any, spec: RunSpec, as_of: date) -> KnownPanel | None:
    """Read what the warehouse knows on a day; None where it knows nothing of the dataset."""
    if not canonical.stored_names(con, spec.dataset_id, as_of):
        return None
    roles = stored_roles(con, spec, as_of)
    panel = canonical.read_panel(
        con, dataset_id=spec.dataset_id, as_of=as_of, wanted=wanted_columns(roles), staged=False
    )
    return KnownPanel(roles, panel)


def wanted_columns(roles: ColumnRoles) -> list[canonical.PanelColumn]:
    """Return what is read of the warehouse for some roles."""
    numbers = landing_rows.number_roles(roles)
    return [canonical.PanelColumn(n.role, n.name, n.column) for n in numbers]


def stored_roles(con: Any, spec: RunSpec, as_of: date) -> ColumnRoles:
    """Return the roles of what the warehouse knows on a day.

    Raises
    ------
    DataContractError
        If it knows nothing of the dataset.
    """
    held = canonical.stored_names(con, spec.dataset_id, as_of)
    if not held:
        raise DataContractError(
            f"No data yet for dataset {spec.dataset_id!r} as of {as_of}; give --data FILE."
        )
    return resolve_roles(spec, header_of_stored(spec, held))
