"""Text of listings on a page: it was written by others, and may hold anything."""


def plain_line(text: str) -> str:
    """Return text on one line; characters that do not show, and orders to a terminal, are the replacement character."""
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
