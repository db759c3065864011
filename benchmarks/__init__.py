"""What glyphd costs, measured: `make bench`. One file a question; what each one answers stands at its top."""
