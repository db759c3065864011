"""What glyphd means by its words (DESIGN §2), in plain Python: no library, no database, no clock of its own."""
