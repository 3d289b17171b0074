"""Canonicalize: landed text becomes canonical rows and the model's panel; a snapshot freezes it.

In: a batch (or none) and what the warehouse knows. Out: a candidate, then a snapshot by content.
"""
