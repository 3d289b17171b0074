"""Order and gates: flows and the command line. No arithmetic, SQL or file access here.

The environment is set on import, because Prefect and MLflow read theirs when they are imported.
"""

from tasks.store.home import configure_environment

configure_environment()
