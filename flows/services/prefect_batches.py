"""How often a Prefect server writes what it hears of tasks.

Belongs here: its settings for that. Does not: who may ask it (``flows.services.servers``).
"""

import os

_SETTINGS = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "2",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
}


def prefect_batches() -> dict[str, str]:
    """Return the settings under which Prefect writes states of tasks and events some at a time.

    By itself it has a transaction for each of the three states of each task: more than half of what
    a flow of 25 empty tasks costs it. Its pages show a state two seconds later at most; as it ends
    it writes what it has. What the environment states comes first.
    """
    return {name: os.environ.get(name, value) for name, value in _SETTINGS.items()}
