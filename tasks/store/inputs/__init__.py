"""What people hand in: data files as received, run specs, plans and lift tests as text."""
