"""`slat explain`: what a diagnostic means, with an example of the mistake and of its remedy.

In: a code, or none. Out: its page, or the list of all codes.
Guarantee: both examples of a page are run by a test.
Trusted: no.
"""

from __future__ import annotations

import click

from verifier.cli import complete
from verifier.cli.shared import fail
from verifier.diagnostics.model import nearest
from verifier.diagnostics.pages import codes, read_page, title


@click.command("explain", short_help="Explain a diagnostic, with examples.")
@click.argument("code", required=False, shell_complete=complete.diagnostics)
def command(code: str | None) -> None:
    """Explain the diagnostic CODE: why it exists, an example of the mistake and of its remedy.

    Without CODE all diagnostics are listed.

    \b
    Examples:
      slat explain E214
      slat explain
    """
    known = codes()
    if code is None:
        for one in known:
            click.echo(f"{one}  {title(one)}")
        return
    wanted = code.upper()
    if wanted not in known:
        raise fail(f"there is no diagnostic `{code}`", nearest(wanted, known) or "`slat explain` lists them all")
    click.echo(read_page(wanted), nl=False)
