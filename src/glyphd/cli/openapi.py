"""`glyphd openapi`."""

from glyphd.api.app import create_app
from glyphd.cli.installation import read_local_settings
from glyphd.cli.output import print_json


def openapi() -> None:
    """Print the OpenAPI document."""
    print_json(create_app(read_local_settings()).openapi())
