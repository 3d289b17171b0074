"""How a number is written for people, on the terminal and in MLflow's notes alike."""


def format_number(value: float | None) -> str:
    """Write a number with three or four significant digits; a dash where there is none."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.4g}" if abs(value) >= 1 else f"{value:.3g}"
