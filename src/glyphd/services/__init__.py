"""What glyphd does, one verb a module. A service owns its transactions; the edges only translate."""
