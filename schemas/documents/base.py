"""What every file of a run has in common: it is frozen, versioned, and says the unit of a number.

A document is one JSON file. Published names and fields stay as they are: a field that is added has
a default, so that files of earlier runs open too; a change that they could not follow raises
``VERSION``. A file without ``schema_version`` is of version 1.
"""

from collections.abc import ItemsView, KeysView, ValuesView
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    RootModel,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

_FROZEN = ConfigDict(
    frozen=True, allow_inf_nan=False, populate_by_name=True, use_attribute_docstrings=True
)


def _in(unit: str) -> Any:
    return Field(json_schema_extra={"unit": unit})


KpiAmount = Annotated[float, _in("KPI unit")]
"""A number in the unit of the KPI: money, or a count."""
KpiRate = Annotated[float, _in("KPI unit per period")]
Money = Annotated[float, _in("currency of the file")]
MoneyRate = Annotated[float, _in("currency of the file per period")]
Return = Annotated[float, _in("KPI value per unit of spend")]
"""What a unit of money brings, in money: ROAS and its marginal form."""

UnitValue = Annotated[float, _in("currency of the file per KPI unit")]
"""Money that a KPI unit stands for, or costs."""
Gain = Annotated[float, _in("unit of a gain: money, or the KPI unit")]
GainPerMoney = Annotated[float, _in("unit of a gain per unit of spend")]
Share = Annotated[float, _in("share")]
Probability = Annotated[float, _in("probability")]
Ratio = Annotated[float, _in("ratio")]
Number = Annotated[float, _in("no unit")]
InputAmount = Annotated[float, _in("unit of the input column, per period")]
PeriodPosition = Annotated[float, _in("periods")]
Periods = Annotated[int, _in("periods")]
Count = Annotated[int, _in("count")]
Seconds = Annotated[float, _in("seconds")]
Draws = Annotated[float, _in("draws")]


class Part(BaseModel):
    """A part of a document."""

    model_config = _FROZEN


class SparsePart(Part):
    """A row whose fields depend on what it is about: what was not given is not in the file.

    Null is another thing: the field applies, and its number could not be computed.
    """

    @model_serializer(mode="wrap")
    def _given(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        given = {"schema_version", *self.model_fields_set}
        return {name: value for name, value in write(self).items() if name in given}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the fields, not the serializer, which only leaves some out."""
        plain = {key: value for key, value in core_schema.items() if key != "serialization"}
        return handler(plain)


class Document(Part):
    """One JSON file whose top level has named fields."""

    VERSION: ClassVar[int] = 1
    """Newest version that this code reads, and the one that it writes."""

    schema_version: Annotated[int, _in("version")] = Field(
        1, ge=1, description="Version of the file's fields."
    )

    @field_validator("schema_version")
    @classmethod
    def _is_known(cls, version: int) -> int:
        if version > cls.VERSION:
            raise ValueError(
                f"{cls.__name__} is known up to schema_version {cls.VERSION}, the file has "
                f"{version}; it was written by a newer release, open it with that one"
            )
        return version


class NamedRows[Row](RootModel[dict[str, Row]]):
    """One JSON file whose top level is a row per name: of a channel, a component, a parameter.

    Its top level holds names alone, so the version is that of the class.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    VERSION: ClassVar[int] = 1

    def __getitem__(self, name: str) -> Row:
        """Return the row of a name."""
        return self.root[name]

    def __contains__(self, name: object) -> bool:
        """Say whether a name has a row."""
        return name in self.root

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.root)

    def get(self, name: str) -> Row | None:
        """Return the row of a name, or None."""
        return self.root.get(name)

    def names(self) -> KeysView[str]:
        """Return the names in the order of the file."""
        return self.root.keys()

    def rows(self) -> ValuesView[Row]:
        """Return the rows in the order of the file."""
        return self.root.values()

    def items(self) -> ItemsView[str, Row]:
        """Return names and rows in the order of the file."""
        return self.root.items()


def is_absent(value: object) -> bool:
    """Leave a field out of the file where it does not apply: ``Field(None, exclude_if=...)``."""
    return value is None


def is_nothing(value: object) -> bool:
    """Leave a false flag or an empty list out, so that documents of before stay as they were."""
    return not value


def stated[T](value: T | None, name: str) -> T:
    """Return a value that the kind of a model always has.

    Raises
    ------
    ValueError
        If the document does not have it: it is of another kind, or not whole.
    """
    if value is None:
        raise ValueError(
            f"the document has no {name}, which this kind of model needs; run the refit again."
        )
    return value
