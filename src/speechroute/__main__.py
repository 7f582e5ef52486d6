"""``python -m speechroute`` is the ``speechroute`` command."""

from ._cli import main

main()
