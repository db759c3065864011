"""What the Makefile calls: pins, generated docs, size rules, coverage floors, the demo."""
