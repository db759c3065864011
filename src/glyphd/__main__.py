"""`python -m glyphd`: the same as `glyphd`."""

from glyphd.cli.main import main

if __name__ == "__main__":
    main()
