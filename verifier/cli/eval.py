"""`slat eval`: one expression, by the interpreter.

In: an expression. Out: its value, in the words of its type.
Guarantee: the value is the interpreter's; `undefined` counts as 0.
Trusted: no.
"""

from __future__ import annotations

from pathlib import Path

import click

from verifier.cli.shared import open_project, root_option
from verifier.core.interpret import evaluate
from verifier.core.show import show_value
from verifier.names.resolve import Program, ResolvedModule, Symbol
from verifier.source import Source, Span
from verifier.syntax import tree
from verifier.syntax.parse import parse_expression
from verifier.types.check import check_expression
from verifier.types.load import load


@click.command("eval", short_help="Evaluate one expression.")
@click.argument("expression")
@root_option
def command(expression: str, root: Path | None) -> None:
    """Evaluate EXPRESSION with the interpreter; `undefined` counts as 0.

    Names of all modules can be used; a name that several modules declare is written with its module.

    \b
    Examples:
      slat eval 'EptEntry { r: true, xu: true }.raw'
      slat eval 'sdm.ept.entry.maps_a_page(EptEntry { ps: true }, PDE)'
    """
    source = Source("<expression>", expression)
    written = parse_expression(source)
    program = load(open_project(root)).program
    typed_expression = check_expression(_with_everything(program, source), "eval", written)
    click.echo(show_value(evaluate(typed_expression, {}), typed_expression.type))


def _with_everything(program: Program, source: Source) -> Program:
    """The program with one more module, `eval`, that sees every declaration."""
    path = tree.Path("eval", Span(source, 0, 0))
    module = tree.Module(path, (), (), path.span)
    scope: dict[str, tuple[Symbol, ...]] = {}
    for resolved in program.modules.values():
        for name, symbols in resolved.scope.items():
            own = tuple(s for s in symbols if s.module == resolved.name and not isinstance(s.decl, tree.Claim))
            if own:
                scope[name] = (*scope.get(name, ()), *own)
    return Program({**program.modules, "eval": ResolvedModule("eval", module, scope)})
