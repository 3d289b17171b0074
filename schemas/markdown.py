"""How a text from outside is written in markdown, in MLflow's notes and Prefect's pages."""


def escape_markdown(text: str) -> str:
    """Make text show as itself in markdown."""
    shown = text.replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
    for mark in "|`*_[]":
        shown = shown.replace(mark, f"\\{mark}")
    return shown
