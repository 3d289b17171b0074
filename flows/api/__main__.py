"""Print the OpenAPI document: ``python -m flows.api > schemas/openapi.json`` (``make docs``)."""

import json
import sys

from flows.api.app import build_api

sys.stdout.write(json.dumps(build_api().openapi(), indent=1, ensure_ascii=False) + "\n")
