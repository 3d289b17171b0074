"""Repair: a home whose warehouse is damaged, gone, or knows a date that has not come."""
