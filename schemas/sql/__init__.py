"""DuckDB DDL, read as package data."""
