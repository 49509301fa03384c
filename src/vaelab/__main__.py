"""`python -m vaelab`: the command line, where no script of it is on the path."""

from vaelab.cli import main

if __name__ == "__main__":
    main()
