"""The run spec and its blocks: everything that people write, frozen, bounded, no unknown keys."""
