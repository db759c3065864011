"""`glyphd openapi`."""

from glyphd.api.app import create_app
from glyphd.cli.output import print_json, read_settings


def openapi() -> None:
    """Print the OpenAPI document."""
    print_json(create_app(read_settings()).openapi())
