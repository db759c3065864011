"""The command line: the same services as the HTTP API, on the local database."""
