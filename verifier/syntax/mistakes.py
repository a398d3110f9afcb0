"""Mistakes that are made again and again, and what to say to each.

In: nothing. Out: a table. A row of `MISTAKES` says how the text before a mistake was read: its last words as
they stand on the parser's stack (`lower` and `Upper` are names, `e` an expression, `t` a type), and the word
that does not fit.
Guarantee: rows are tried in order; none changes what is accepted.
Trusted: no, a golden file under `tests/golden/parse/fail` meets every row.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """What was read and found, as regular expressions; `problem` and `advice` may name `{found}`."""

    before: str
    found: str
    problem: str
    advice: str


_E = r"(?:e|lower|Upper|int|hex)"
_T = r"(?:bool|bits|Upper|list)"
_OPERATOR = r"(?:&&|\|\||&|\||\^|\+|\+\+|-|<<|>>|cmp|within|implies|!|~)"
_TYPE = r"(?:t|Upper|bool|bits \( int \))"
_START = r"(?:lower|Upper|int|hex|if|let|match|!|~|all|any|meet|until|list|true|false|undefined)"
_FIELDS = r"(?:record Upper[^{]*\{(?: …| field)*|\(|,|for)"
_BITS = r"bits Upper : int[^{]*\{(?: …| bit_field)*"
_ENUM = r"enum Upper[^{]*\{(?: …| ,| member)*"
_RULE = r"\b(?:any|all) of \{(?: …| clause)*"
_ARMS = r"match \([^{]*\) \{(?: …| arm)*"
_ANY = r".*"


def _row(before: str, found: str, problem: str, advice: str) -> Mistake:
    return Mistake(rf"(?:.* )?{before}", found, problem, advice)


MISTAKES = (
    # files
    _row("file", "end", "the file is empty", "write `module sdm.ept.entry` first"),
    _row(
        "file",
        _ANY,
        "a file begins with its module, not with `{found}`",
        "write `module sdm.ept.entry` first",
    ),
    _row("(?:module|use)", "Upper|string", "a module's name is in lower case", "write `sdm.ept.entry`"),
    _row("(?:module|use) (?:lower|path)", ";", "`;` ends nothing here", "delete it: a line needs no end"),
    _row(
        "module (?:lower|path)(?: .*)?",
        "replace|add|reshape|remove|unavailable",
        "`{found}` belongs to a patch",
        "a file of changes begins with `patch SERIES.NAME per …`, and has `amend MODULE` before the changes",
    ),
    _row("patch (?:lower|path)(?: on lower)?", _ANY, "a patch cites its source", 'write `per LINUX "[PATCH 1/8] …"`'),
    _row(
        "amend (?:lower|path)",
        _ANY,
        "an amendment says how well it is known",
        "write `seen`, `inferred` or `unavailable` after the module",
    ),
    # names
    _row(
        "(?:fn|rule|invariant|witness)",
        "Upper",
        "`{found}` begins with a capital",
        "this name is in lower case",
    ),
    _row("let", "Upper", "`{found}` begins with a capital", "the name of a value is in lower case"),
    _row(
        "(?:record|bits|enum|const)",
        "lower",
        "`{found}` is in lower case",
        "the name of a type or constant begins with a capital",
    ),
    # what a declaration says of itself
    _row("per", "string", "a citation names its manual first", 'write `per SDM "section title"`'),
    _row("per(?: cite ,)* Upper", _ANY, "a citation needs a title", 'write `per SDM "section title"`'),
    _row(
        "reading string",
        "string|per",
        "the reading comes last",
        "citations, then the sentence, then the reading",
    ),
    _row("string", "per", "citations come before the sentence", 'write `per SDM "title"  "One sentence."`'),
    # types
    _row(rf"{_FIELDS} lower", _T, "`:` is missing before `{found}`", "write `name: type`"),
    _row(
        "(?:lower :|->)",
        "lower",
        "there is no type `{found}`",
        "types are `bool`, `bits(64)` and declared names",
    ),
    _row("bits", r"[)\]},[=]|end|string|per|lower", "`bits` needs a width here", "write `bits(64)`"),
    _row(r"bits \(", "lower|Upper|hex", "a width is a plain number", "write `bits(64)`"),
    _row(
        rf"(?:t|{_T}) \[",
        r"\]|lower",
        "the length of a list is missing",
        "write `T[4]`, or `T[1..4]` for 1 to 4",
    ),
    _row(
        rf"(?:t|{_T}) \[ int \.\.",
        r"\]|lower",
        "a list has a greatest length",
        "write `T[1..4]`: lists are bounded",
    ),
    _row(": Upper", "<", "a type has no parameters", "a list type is written `T[1..4]`"),
    # enums, records and bitfields
    _row(rf"{_ENUM} Upper", ",|}|string|Upper", "the number of this member is missing", "write `NAME = 0`"),
    _row(rf"{_ENUM} Upper", ":", "a member is `NAME = number`", "write `=`"),
    _row(
        rf"{_ENUM} Upper = int(?: string)?",
        "Upper",
        "a comma is missing before `{found}`",
        "members are separated by commas",
    ),
    _row(rf"{_ENUM} Upper = int(?: string)?", ";", "members are separated by commas", "write `,`"),
    _row(rf"{_ENUM}", "lower", "`{found}` is in lower case", "an enum's members begin with a capital"),
    _row(rf"{_ENUM}", "}", "an enum has at least one member", "write `NAME = 0`"),
    _row("bits Upper", r"\{|per|string", "the width is missing", "write `bits Name : 64 { … }`"),
    _row("bits Upper :", "bits", "the width is a plain number here", "write `bits Name : 64 { … }`"),
    _row(rf"{_BITS}", "int|lower|Upper", "a field begins with its bits", "write `[0] name` or `[5:3] name`"),
    _row(rf"{_BITS} \[ int", r"\.\.|-", "bits run from high to low", "write `[5:3]`"),
    _row(rf"{_BITS} \[ int(?: : int)? \]", ":", "`:` comes after the name", "write `[5:3] name: Type`"),
    _row(
        rf"{_BITS} \[ int(?: : int)? \]",
        "Upper",
        "`{found}` begins with a capital",
        "a field's name is in lower case",
    ),
    _row(rf"{_BITS} .*", ",|;", "fields are not separated", "delete `{found}`"),
    _row(r"record Upper[^{]*\{.*", "[,;]", "fields are not separated", "delete `{found}`"),
    _row(r"record Upper[^{]*\{", "}", "a record has at least one field", "write `name: type`"),
    _row(r"(?:record|enum) Upper", "=", "`=` does not belong here", "write `record Name { … }`"),
    # constants, functions and rules
    _row("const Upper", "=", "the type of a constant is missing", "write `const NAME: bits(64) = …`"),
    _row(
        f"const Upper : (?:{_TYPE}|t about)",
        rf"{_START}|\[|\(",
        "`=` is missing before `{found}`",
        "write `const NAME: type = value`",
    ),
    _row(
        r"fn lower \((?: params)? \)",
        ":",
        "the type of the result follows `->`",
        "write `fn f(x: T) -> U = …`",
    ),
    _row(
        r"fn lower \((?: params)? \)",
        "=|per|string",
        "the type of the result is missing",
        "write `fn f(x: T) -> U`",
    ),
    _row(rf"-> (?:t|{_T})(?: about)?", r"\{", "a body has no braces", "write `= expression`"),
    _row(r"(?:fn|rule) lower \([^)]*", ";", "parameters are separated by commas", "write `,`"),
    _row(r"rule lower \((?: params)? \)", "->|:", "a rule has no type: it is true or false", "delete `-> …`"),
    _row(
        r"rule lower .*\)(?: about)?",
        "any|all",
        "`=` is missing before `{found}`",
        "write `= {found} of { … }`",
    ),
    _row(
        r"rule lower .*\) about =",
        _ANY,
        "a rule is a list of named conditions",
        "write `= any of { name: condition }`, or use `fn … -> bool`",
    ),
    _row(r"= (?:any|all)", r"\{|:", "`of` is missing", "write `any of { … }` or `all of { … }`"),
    _row(rf"{_RULE} lower", "=", "a condition follows `:`", "write `name: condition`"),
    _row(rf"{_RULE}(?: lower)?", _ANY, "every condition has a name", "write `name: condition`"),
    _row(rf"{_RULE} lower : {_E}(?: cites)?", ",|;", "conditions are not separated", "delete `{found}`"),
    # claims
    _row("(?:invariant|witness) lower", r"\(", "the variables follow `for`", "write `for x: T, y: U`"),
    _row("for", r"\(", "the variables stand without parentheses", "write `for x: T, y: U`"),
    _row(
        "is(?: Upper ,)*",
        "lower|string|int",
        "`{found}` is no theorem's id",
        "an id begins with a capital: `is A6, A7`",
    ),
    _row(f"show {_E}", "assume", "what is assumed comes before `show`", "move this above `show`"),
    _row(
        f"show {_E}",
        "for",
        "the variables come before `show`",
        "the order is `for`, `assume`, `show`, `expect`",
    ),
    _row(
        f"assume {_E}",
        "for",
        "the variables come before `assume`",
        "the order is `for`, `assume`, `show`, `expect`",
    ),
    _row(
        f"assume {_E}",
        "expect|end|fn|rule|const|enum|record|bits|invariant|witness",
        "`show` is missing",
        "say what follows: `show condition`",
    ),
    _row(
        "(?:invariant|witness) lower(?: ids| cites| string| for_)*(?: for .*)?",
        "expect|end|fn|rule|const|enum|record|invariant|witness",
        "`show` is missing",
        "say what holds: `show condition`",
    ),
    _row("expect", _ANY, "a verdict is `proved` or `refuted`", 'write `expect refuted "why"`'),
    _row(
        "expect (?:proved|refuted) in(?: lower ,)*",
        "string|Upper",
        "a series has a name in lower case",
        "write `expect refuted in v3`",
    ),
    # let, if and match
    _row(f"let lower.* = {_E} in", _ANY, "a `let` ends with `;`", "write `let x = value; body`"),
    _row(
        f"let lower(?: : \\S+.*)? = {_E}",
        rf"{_START}|end|[)}}\],]|case|then|else",
        "`;` is missing after the value of a `let`",
        "write `let x = value; body`",
    ),
    _row("let lower", rf"{_START}|;", "`=` is missing after the name", "write `let x = value; body`"),
    _row(f"let lower : {_TYPE}", _START, "`=` is missing before `{found}`", "write `let x: type = value; body`"),
    _row(rf"if {_E}", r"\{", "the branches of an `if` have no braces", "write `if c then a else b`"),
    _row(rf"if {_E}", _ANY, "`then` is missing before `{found}`", "write `if c then a else b`"),
    _row(rf"if {_E} then {_E}", _ANY, "`else` is missing", "an `if` always has a value: `if c then a else b`"),
    _row("match", _ANY, "`match` takes its values in parentheses", "write `match (a, b) { case … }`"),
    _row(rf"{_ARMS}", "}", "a match has at least one arm", "write `case PATTERN : value`"),
    _row(rf"{_ARMS}", _ANY, "an arm begins with `case`", "write `case PATTERN : value`"),
    _row(rf"{_ARMS} case .* : {_E}", ",|;", "arms are not separated", "delete `{found}`"),
    _row(
        r"case (?:.* )?(?:Upper|int|hex|true|false|_|pattern)",
        rf"{_START}|=",
        "`:` is missing after the pattern",
        "write `case PATTERN : value`",
    ),
    _row(
        "case(?: pattern ,| …)*",
        "lower",
        "a pattern names no variable",
        "`_` stands for every value; a guard is an `if` in the value",
    ),
    # expressions in brackets
    _row(
        r"(?:Upper|e with) \{(?: assignment ,| …| ,)* lower",
        "=",
        "a field is given with `:`",
        "write `name: value`",
    ),
    _row(
        rf"(?:Upper|e with) \{{(?: assignment ,| …| ,)* lower : {_E}",
        "lower",
        "a comma is missing before `{found}`",
        "write `{ a: x, b: y }`",
    ),
    _row(
        r"(?:Upper|e with) \{(?: assignment ,| …| ,)* lower",
        ",|}",
        "the value of this field is missing",
        "write `name: value`",
    ),
    _row(f"{_E} with", _ANY, "`with` takes fields in braces", "write `e with { name: value }`"),
    _row(f"{_E} in", _ANY, "`in` takes a set in braces", "write `x in { A, B }`"),
    _row("(?:all|any|meet|until)", _ANY, "a list is searched in parentheses", "write `all(e in xs: condition)`"),
    _row(r"(?:all|any|meet|until) \( lower", ":|,", "the list is missing", "write `all(e in xs: condition)`"),
    _row(
        rf"(?:all|any|meet|until) \( lower (?:at lower )?in {_E}",
        ",|end|[)]",
        "`:` is missing after the list",
        "write `all(e in xs: condition)`",
    ),
    _row(
        rf"(?:e|lower|Upper|match|list) \((?: {_E} ,| …| ,)* {_E}",
        _START,
        "a comma is missing before `{found}`",
        "arguments are separated by commas",
    ),
    _row(r"list \(", r"[)]", "a list has at least one element", "write `list(a, b)`"),
    _row(r"\[ int", r"\.\.|-|\.", "bits run from high to low", "write `[5:3]`"),
    _row(
        rf"{_E} \[",
        "lower|Upper",
        "a position is a plain number",
        "`all(e at i in xs: …)` speaks of every position",
    ),
    _row(r"\[(?: range ,| …| ,)*", "lower|Upper", "a bit position is a plain number", "write `[5:3, 0]`"),
    _row(rf"{_E} \.", _ANY, "the name of a field is missing after `.`", "`e[3]` is a bit, `e.name` a field"),
    # the rest of an expression
    _row(_E, "=", "`=` is no comparison", "write `==`"),
    _row(_E, ";", "only the value of a `let` ends with `;`", "delete it"),
    _row(_E, r"\{", "braces do not belong here", "parentheses group expressions: `( … )`"),
    _row(_E, _START, "`{found}` cannot follow an expression", "an operator is missing, or a word is misspelt"),
    _row(rf"(?:about =|show|assume) {_E}", r"[)}\]]", "`{found}` closes nothing", "delete it"),
    _row(_OPERATOR, "if|let", "`{found}` needs parentheses here", "write `a && ({found} …)`"),
    _row(
        "(?:expr|=|show|assume|then|else|implies|[:;(,&|!])",
        r"\{",
        "braces do not belong here",
        "parentheses group expressions: `( … )`",
    ),
    _row(
        "(?:expr|=|show|assume|then|else|[:;(,&|])",
        "-",
        "numbers have no sign",
        "write `0 - x`, modulo 2 to the width",
    ),
    _row(
        f"{_E} -",
        ">",
        "`->` stands before the type of a function's result only",
        "`a implies b` is the logical arrow",
    ),
    _row(",", r"[)}\]:;]|end", "nothing follows the comma", "delete it, or add what is missing"),
)
