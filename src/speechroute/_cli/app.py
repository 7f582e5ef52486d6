"""The Typer application. Each command is a function of a file of its own."""

from __future__ import annotations

import typer

from .check import check
from .demo import demo
from .emulate import emulate
from .log import log
from .run import run
from .url import url
from .watch import watch
from .witness import witness

app = typer.Typer(
    name="speechroute",
    help="The right door to an Azure Speech resource: its private endpoint, or its region.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (check, emulate, demo, log, run, url, watch, witness):
    app.command()(command)
