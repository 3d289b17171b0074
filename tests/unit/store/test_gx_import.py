"""What a check does not need is left for whoever uses it first, and it finds the same."""

import json
import subprocess
import sys
from pathlib import Path

from pydantic.v1 import BaseModel, Field, validator

from flows.check_data import check_data
from tasks.query.runs import load_spec
from tasks.store.gx_import import copying_fields_lightly

ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "data" / "demo"
PROGRAM = """
import sys
from tasks.store.gx_import import import_for_check
import_for_check()
unused = ("altair.vegalite", "scipy.stats._stats_py", "jsonschema.validators", "sqlalchemy")
left = [name for name in unused if name in sys.modules]
assert not left, left
from pathlib import Path
from flows.check_data import check_data
from tasks.query.runs import load_spec
spec, *files = sys.argv[1:]
checked = [check_data(load_spec(Path(spec)), data) for data in files]
left = [name for name in unused if name in sys.modules]
assert not left, left
from scipy import stats
import altair, jsonschema, sqlalchemy
print(stats.norm.cdf(0), altair.Chart.__name__, sqlalchemy.select.__name__)
jsonschema.validate(1, {"type": "integer"})
print(*(one.model_dump_json() for one in checked), sep="\\n")
"""


def _spoiled(tmp_path):
    lines = (DEMO / "panel.csv").read_text(encoding="utf-8").splitlines()
    spoiled = [*lines[:9], lines[9].replace(lines[9].split(",")[2], "many"), *lines[10:], lines[20]]
    path = tmp_path / "panel.csv"
    path.write_text("\n".join(spoiled) + "\n", encoding="utf-8")
    return path


def test_a_check_finds_the_same_without_what_it_does_not_need(home, tmp_path):
    files = [str(DEMO / "panel.csv"), str(_spoiled(tmp_path))]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, DEMO / "run_spec.yaml", *files],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    there, *found = done.stdout.splitlines()
    assert there.split() == ["0.5", "Chart", "select"]
    here = [check_data(load_spec(DEMO / "run_spec.yaml"), data) for data in files]
    assert [json.loads(one) for one in found] == [one.model_dump(mode="json") for one in here]
    assert here[-1].verdict == "FAIL"


class Priced(BaseModel):
    price: float = Field(1.0, ge=0)
    tags: list[str] = []

    @validator("price")
    def doubled(cls, value):  # noqa: N805 - pydantic's own form
        return 2 * value


def _rounded_of():
    class Rounded(Priced):
        class Config:
            fields = {"price": {"alias": "cost"}}

        @validator("price", allow_reuse=True)
        def rounded(cls, value):  # noqa: N805
            return round(value)

    return Rounded


def test_a_class_whose_fields_were_copied_lightly_is_what_it_is_and_leaves_its_base():
    deep = _rounded_of()
    with copying_fields_lightly():
        light = _rounded_of()
    asked = {"cost": 1.3, "tags": ["a"]}
    assert light(**asked).dict() == deep(**asked).dict() == {"price": 3, "tags": ["a"]}
    assert light.schema() == deep.schema()
    assert Priced(price=1.3).price == 2.6
    assert Priced.schema()["properties"].keys() == {"price", "tags"}
