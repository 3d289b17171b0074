"""The error tree. An error is typed by what the caller can do; the CLI maps it to an exit code."""

from typing import ClassVar

from schemas.outcomes import Finding


class MmmError(Exception):
    """Base of everything the product raises on purpose."""

    exit_code: ClassVar[int] = 1


class SpecError(MmmError, ValueError):
    """The run spec cannot be used; the message lists every problem with its key."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, problems: list[str] | None = None) -> None:
        super().__init__(message)
        self.problems = problems or []


class DataContractError(MmmError, ValueError):
    """Data do not meet their contract; ``findings`` names every place and rule."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, findings: list[Finding] | None = None) -> None:
        super().__init__(message)
        self.findings = findings or []


class TooLargeFileError(DataContractError):
    """A file is beyond a limit; nothing of it was kept."""


class RepeatedFileError(DataContractError):
    """A file whose bytes are there already; nothing was changed."""


class UnknownRunError(MmmError, LookupError):
    """No run, dataset or model of that name."""

    exit_code: ClassVar[int] = 2


class IncomparableRunsError(MmmError, ValueError):
    """Two runs of which one cannot be explained by the other."""

    exit_code: ClassVar[int] = 2


class SamplingError(MmmError, RuntimeError):
    """The sampler could not produce draws; nothing was published."""

    exit_code: ClassVar[int] = 3


class ResourceUnavailableError(MmmError, RuntimeError):
    """A lock or a required service could not be had in time."""

    exit_code: ClassVar[int] = 4


class StorageError(MmmError, OSError):
    """The disk is full, or the home may not be written to."""


class CorruptArtifactError(MmmError, RuntimeError):
    """A stored file does not have the content its reference promises."""


class PrunedFilesError(CorruptArtifactError):
    """The retention policy removed the files that are asked for; nothing is broken."""

    exit_code: ClassVar[int] = 2
