"""The row contract's declaration and how names are compared."""

import pytest

from glyphd.domain.listing import (
    FIELDS,
    PREFERRED_ALIASES,
    SCHEMA_VERSIONS,
    WEAK_ALIASES,
    fields_of,
    header_key,
    model_key,
)


def test_versions_only_add_fields():
    """v1.0 is the seven required fields, v1.1 all of them."""
    assert [field.name for field in fields_of("v1.0")] == [field.name for field in FIELDS if field.required]
    assert fields_of("v1.1") == FIELDS
    assert len(fields_of("v1.0")) == 7


def test_every_name_of_a_field_is_its_own():
    """No header can mean two fields."""
    keys = [header_key(name) for field in FIELDS for name in (field.name, *field.aliases)]
    assert len(keys) == len(set(keys))


def test_special_aliases_are_aliases():
    """Weak and preferred aliases are declared on fields, and versions are known."""
    aliases = {alias for field in FIELDS for alias in field.aliases}
    assert aliases >= WEAK_ALIASES
    assert aliases.issuperset(PREFERRED_ALIASES.values())
    assert {field.since for field in FIELDS} == set(SCHEMA_VERSIONS)


@pytest.mark.parametrize("header", ["VRAM_GB", " vram gb ", "Vram-Gb", "vramgb"])
def test_headers_are_compared_loosely(header):
    """Case, spaces, `-` and `_` of a header do not count."""
    assert header_key(header) == header_key("vram_gb")


def test_models_are_compared_exactly_but_for_separators():
    """L4 is not L40, and only ASCII letters lose their case."""
    assert model_key("rtx 4090") == model_key("RTX_4090") == model_key("Rtx-40 90")
    assert model_key("L4") != model_key("L40")
    assert model_key("É") != model_key("é")
