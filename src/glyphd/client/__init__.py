"""A client for Python: the HTTP API of a server as methods, its problems as the exceptions of :mod:`glyphd.errors`.

It knows the shapes of answers (:mod:`glyphd.domain.report`) and none of what makes them, so that importing it is cheap.
"""

from glyphd.client.client import Client
from glyphd.client.options import Checking, ImportOptions, ImportQuery, ListingQuery, Submission

__all__ = ["Checking", "Client", "ImportOptions", "ImportQuery", "ListingQuery", "Submission"]
