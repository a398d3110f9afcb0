"""The command line: one group, one file a command, loaded when it is called.

In: the words of the command line. Out: an exit code: 0, 1, 2, 3 or 70.
Guarantee: no input ends in a traceback; documents go to standard output, all else to standard error.
Trusted: no, checked by the conformance tests.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback

import click

from verifier.cli.shared import Failure, report
from verifier.cli.streams import prepare
from verifier.diagnostics.model import Diagnosed
from verifier.diagnostics.render import printable

COMMANDS = (
    "check", "completion", "diff", "eval", "explain", "fmt", "new-series", "prove", "report", "table", "vectors",
    "walk",
)  # fmt: skip


class Lazy(click.Group):
    """Loads `verifier.cli.NAME` only for the command that is called; a hyphen is an underline there."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"verifier.cli.{cmd_name.replace('-', '_')}").command


EXAMPLES = """\b
Examples:
  slat check                      is every specification well-formed?
  slat prove                      is every verdict the expected one?
  slat prove B9 -v                one theorem, with its example
  slat explain E214               what does this diagnostic mean?

`slat COMMAND --help` shows more."""


@click.group(
    cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EXAMPLES
)
@click.version_option(package_name="slat", prog_name="slat")
def group() -> None:
    """Specify, prove and run second-level address translation: Intel EPT with MBEC, and KVM's use of it."""


def main() -> None:
    """The entry point of `slat`."""
    sys.setrecursionlimit(20_000)
    prepare()
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        result = group.main(args=words, prog_name="slat", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except Failure as failure:
        return failure.exit_code
    except Diagnosed as error:
        report(error.diagnostics)
        return 2
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        click.echo("\n".join(printable(line) for line in said.getvalue().split("\n")), nl=False, err=True)
        return 2
    except (BrokenPipeError, SystemExit):  # click turns a reader that went away into SystemExit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except Exception as error:
        return _internal(error)


def _internal(error: Exception) -> int:
    last = traceback.extract_tb(error.__traceback__)[-1]
    (place,) = getattr(error, "__notes__", ()) or (f"{os.path.basename(last.filename)}:{last.lineno}",)
    click.echo(printable(f"internal error: {type(error).__name__}: {error} ({place})"), err=True)
    click.echo("this is a bug in slat, not in its input; nothing is claimed", err=True)
    return 70
