"""Files of the home: written beside and renamed, hashed, checked when read, removed with care."""
