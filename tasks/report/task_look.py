"""What pages elsewhere share with the report: its colours, and the library that draws its figures.

Plain functions that import neither pandas nor Plotly, so that a server stays light.
"""

from importlib.resources import files


def read_tokens() -> str:
    """Return the custom properties of the report's stylesheet: its colours, as CSS."""
    return (files("tasks.report") / "pages" / "tokens.css").read_text(encoding="utf-8")


def read_plotly() -> bytes:
    """Return Plotly's script as the installed package has it; no other host is asked for it."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
