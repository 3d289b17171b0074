"""Repair: a home of which a warehouse is damaged, gone, or knows a date that has not come."""
