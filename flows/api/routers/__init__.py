"""One router per resource: paths, parameters and status codes; the work is in ``services``."""
