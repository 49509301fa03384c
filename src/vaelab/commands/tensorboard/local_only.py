"""TensorBoard that answers those alone who ask for this machine; run as a module, with the words of TensorBoard.

TensorBoard listens to this machine only, but answers under any name. A page of the web that gives its own name the
address of this machine (DNS rebinding) could then read what is here.
"""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from tensorboard import main
from tensorboard.backend import application

NAMES = ("127.0.0.1", "localhost")

Answer = Callable[[Any, dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def refusing(answer: Answer) -> Answer:
    """Return a WSGI method that answers requests to another name than this machine's with 403."""

    def checked(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname in NAMES:
            return answer(self, environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"expected a request to 127.0.0.1 or localhost\n"]

    return checked


if __name__ == "__main__":
    application.TensorBoardWSGI.__call__ = refusing(application.TensorBoardWSGI.__call__)
    main.run_main()
