"""What glyphd means by its words (DESIGN §2), in plain Python: the standard library and nothing else."""
