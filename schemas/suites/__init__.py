"""Great Expectations suites, as data."""
