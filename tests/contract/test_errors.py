"""Exit codes are a contract that automation relies on."""

import pytest

from schemas.errors import (
    CorruptArtifactError,
    DataContractError,
    IncomparableRunsError,
    MmmError,
    PrunedFilesError,
    ResourceUnavailableError,
    SamplingError,
    SpecError,
    StorageError,
    UnknownRunError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MmmError, 1),
        (SpecError, 2),
        (DataContractError, 2),
        (UnknownRunError, 2),
        (IncomparableRunsError, 2),
        (SamplingError, 3),
        (ResourceUnavailableError, 4),
        (StorageError, 1),
        (CorruptArtifactError, 1),
        (PrunedFilesError, 2),
    ],
)
def test_exit_code_of_an_error(error, code):
    assert error.exit_code == code
