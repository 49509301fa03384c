"""The command `vaelab`, of whatever code PYTHONPATH names."""

from vaelab.cli import main

main()
