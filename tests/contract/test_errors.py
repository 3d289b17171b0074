"""Exit codes are a contract that automation relies on."""

import pytest

from schemas.errors import (
    CorruptArtifactError,
    DataContractError,
    MmmError,
    PrunedFilesError,
    ResourceUnavailableError,
    SamplingError,
    SpecError,
    UnknownRunError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MmmError, 1),
        (SpecError, 2),
        (DataContractError, 2),
        (UnknownRunError, 2),
        (SamplingError, 3),
        (ResourceUnavailableError, 4),
        (CorruptArtifactError, 1),
        (PrunedFilesError, 2),
    ],
)
def test_exit_code_of_an_error(error, code):
    assert error.exit_code == code
