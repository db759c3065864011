"""glyphd: every price has a provenance."""

__version__ = "0.1.0"
