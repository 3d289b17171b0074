"""Write the page to standard output: ``python -m schemas.reference > schemas/README.md``."""

import sys

from schemas.reference.page import build_page

sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a text stream, not a mock
sys.stdout.write(build_page())
