"""The artifact store: the bytes of every submission, immutable, under their SHA-256."""
