"""The operator's console: pages that the server renders, above the HTTP API and the same services."""
