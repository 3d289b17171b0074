"""A home as it was before every dataset had a warehouse of its own."""

import shutil

import duckdb

from tasks.store.home import Home
from tasks.store.warehouse import files
from tasks.store.warehouse.places import datasets, warehouse_of


def make_single(home: Home) -> None:
    """Put all warehouses of a home into one file, and let none of them be there."""
    with files.offline(duckdb.connect()) as con:
        con.execute("attach ? as single", [str(home.single_warehouse)])
        con.execute("use single")
        con.execute(files.ddl())
        for dataset_id in datasets(home):
            con.execute("attach ? as part (read_only)", [str(warehouse_of(home, dataset_id))])
            for table in files.tables():
                con.execute(f"insert into {table} by name select * from part.{table}")
            con.execute("detach part")
        con.execute("checkpoint")
    shutil.rmtree(home.warehouses)
    home.single_warehouse.chmod(0o640)
