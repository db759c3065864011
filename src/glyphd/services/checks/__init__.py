"""The checks of a diagnosis, one subject a module. Each yields findings; what it raises, `diagnosing` makes one of."""
