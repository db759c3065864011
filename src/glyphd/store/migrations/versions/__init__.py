"""Schema revisions, `0001` first."""
