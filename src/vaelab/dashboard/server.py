"""The process that `vaelab dashboard` becomes: Streamlit, which asks no other machine what this one is called."""

import sys


def keep_to_itself() -> None:
    """Let Streamlit not look up this machine's addresses.

    For each request under a foreign Host or Origin it would ask a server of the web for the external one, to allow it.
    """
    from streamlit import net_util

    net_util.get_external_ip = net_util.get_internal_ip = lambda: None


def main(arguments: list[str]) -> None:
    """Run Streamlit with the arguments of its command `run`."""
    keep_to_itself()
    from streamlit.web import cli  # after the change: it may hold on to what it imports

    cli.main(["run", *arguments], prog_name="streamlit")


if __name__ == "__main__":
    main(sys.argv[1:])
