"""`slat completion`: words for the shell's Tab key.

In: the name of a shell. Out: the script that it evaluates.
Guarantee: the script is click's own.
Trusted: no.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Print a completion script for a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a script that makes SHELL complete commands, options and files.

    \b
    Examples:
      slat completion bash > ~/.local/share/bash-completion/completions/slat
      slat completion zsh > ~/.zfunc/_slat
      slat completion fish > ~/.config/fish/completions/slat.fish
    """
    completion = get_completion_class(shell)
    assert completion is not None
    group = context.find_root().command
    click.echo(completion(group, {}, "slat", "_SLAT_COMPLETE").source())
