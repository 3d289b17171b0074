"""Which day it is, for knowledge dates that must not lie in the future."""

from datetime import UTC, date, datetime


def latest_today() -> date:
    """Return today, here or in UTC: the later one, so that nobody's own day has yet to come."""
    return max(datetime.now(UTC).date(), datetime.now().astimezone().date())
