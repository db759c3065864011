"""Temporary."""
def read_json_body(body): raise NotImplementedError
