"""``python -m speechroute`` is the ``speechroute`` command."""

from .cli import main

main()
