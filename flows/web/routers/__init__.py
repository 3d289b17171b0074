"""One module per page: what it reads, what its forms change. No HTML here."""
