"""The page of all operations: plain HTML made from the OpenAPI document, nothing from elsewhere."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, StrictUndefined

_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
html { background: Canvas; color: CanvasText }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
section { border-top: 1px solid #8886; padding: .5rem 0 }
code, pre { font-family: ui-monospace, monospace }
pre { white-space: pre-wrap; margin: .3rem 0 }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700 }
h1 { font-size: 1.8rem }
h2 { font-size: 1.1rem }
table { border-collapse: collapse }
td, th { text-align: left; padding: .15rem .8rem .15rem 0;
vertical-align: top }
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ document.info.title }}</title><style>{{ style }}</style></head>
<body><main><h1>{{ document.info.title }} {{ document.info.version }}</h1>
<p>{{ document.info.description }}</p>
<p>The whole document for machines: <a href="/openapi.json"><code>/openapi.json</code></a>.</p>
{% for path, operations in document.paths.items() %}{% for method, op in operations.items() %}
<section id="{{ op.operationId }}"><h2><span class="method">{{ method | upper }}</span>
<code>{{ path }}</code></h2>
<p>{{ op.description or op.summary }}</p>
{% if op.parameters %}<table><thead><tr><th>Parameter</th><th>In</th><th>Meaning</th>
<th>Example</th></tr></thead><tbody>{% for p in op.parameters %}<tr>
<td><code>{{ p.name }}</code></td><td>{{ p["in"] }}</td>
<td>{{ p.description or "" }}</td><td><code>{{ p.example }}</code></td></tr>{% endfor %}
</tbody></table>{% endif %}
{% for kind, text in op.bodies %}<p>Body (<code>{{ kind }}</code>), such as</p>
<pre tabindex="0" aria-label="Example of a body">{{ text }}</pre>{% endfor %}
<p>Answers: {{ op.responses.keys() | join(", ") }}</p></section>
{% endfor %}{% endfor %}</main></body></html>
"""


def render_docs(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return the page, and the digest by which a policy lets its style in."""
    page = Environment(autoescape=True, undefined=StrictUndefined).from_string(_PAGE)
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    from markupsafe import Markup

    return page.render(document=_plain(document), style=Markup(_STYLE)), digest  # noqa: S704 - ours


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with the fields that the page reads in every operation."""
    empty = {"description": "", "summary": "", "parameters": [], "responses": {}}
    paths = {
        path: {
            method: {
                **empty,
                **operation,
                "parameters": _parameters(operation),
                "bodies": _bodies(operation),
            }
            for method, operation in operations.items()
        }
        for path, operations in document["paths"].items()
    }
    return {"info": {"description": "", **document["info"]}, "paths": paths}


def _parameters(operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"description": "", **entry, "example": _written(entry.get("example", ""))}
        for entry in operation.get("parameters", [])
    ]


def _bodies(operation: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return media type and example of each body that an operation takes."""
    content = operation.get("requestBody", {}).get("content", {})
    return [(kind, _written(entry["example"])) for kind, entry in content.items()]


def _written(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
