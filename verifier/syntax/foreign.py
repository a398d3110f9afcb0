"""Operators and words of other languages, and what is written here instead.

In: nothing. Out: tables. Guarantee: no entry is a word or an operator of this language.
Trusted: no, a unit test compares the tables with the grammar.
"""

from __future__ import annotations

OPERATORS = {
    "===": "write `==`",
    "!==": "write `!=`",
    "<>": "write `!=`",
    "=!": "write `!=`",
    "/=": "write `!=`",
    "~=": "write `!=`",
    "=<": "write `<=`",
    "=>": "write `a implies b`; in a match, `case PATTERN : value`",
    "==>": "write `a implies b`",
    "-->": "write `a implies b`",
    "<=>": "write `==`: it also compares truth values",
    "<->": "write `==`: it also compares truth values",
    "<==>": "write `==`: it also compares truth values",
    "<-": "write `let x = value; body`",
    ":=": "write `=`",
    "::": "write `.`",
    "+=": "nothing is assigned: write `let x = value; body`",
    "-=": "nothing is assigned: write `let x = value; body`",
    "|=": "nothing is assigned: write `let x = value; body`",
    "&=": "nothing is assigned: write `let x = value; body`",
    "&&&": "write `&&` for truth values, `&` for bits",
    "|||": "write `||` for truth values, `|` for bits",
    "^^": "write `^` for bits, `!=` for truth values",
    ">>>": "write `>>`: numbers are unsigned",
    "**": "there is no power; a mask names its bits: `[12]`",
    "*": "there is no multiplication; `x << 3` is 8 times x",
    "/": "there is no division; `x >> 3` is an eighth of x",
    "%": "there is no remainder; `x[2:0]` is what is left of x modulo 8",
    "--": "nothing is assigned: write `x - 1`",
    "?": "write `if c then a else b`",
    "/*": "a comment begins with `//` and ends with its line",
    "∧": "write `&&`",
    "\u2228": "write `||`",
    "¬": "write `!`",
    "→": "write `implies`",
    "⇒": "write `implies`",
    "⇔": "write `==`",
    "≠": "write `!=`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "∈": "write `in`",
    "⊆": "write `within`",
}

WORDS = {
    "and": "write `&&`",
    "or": "write `||`",
    "xor": "write `^` for bits, `!=` for truth values",
    "not": "write `!`",
    "mod": "there is no remainder; `x[2:0]` is what is left of x modulo 8",
    "elif": "write `else if`",
    "elsif": "write `else if`",
    "elseif": "write `else if`",
    "endif": "an `if` ends with its last expression",
    "iff": "write `==`: it also compares truth values",
    "forall": "write `for x: T` in a claim, `all(e in xs: condition)` in an expression",
    "exists": "write a `witness`, or `any(e in xs: condition)` in an expression",
    "return": "the value of a function is the expression after `=`",
    "def": "write `fn`",
    "func": "write `fn`",
    "fun": "write `fn`",
    "function": "write `fn`",
    "predicate": "write `rule`, or `fn … -> bool`",
    "struct": "write `record`, or `bits` for a bitfield",
    "class": "write `record`, or `bits` for a bitfield",
    "type": "write `record`, `bits` or `enum`",
    "bitfield": "write `bits`",
    "import": "write `use`",
    "include": "write `use`",
    "using": "write `use`",
    "theorem": "write `invariant`",
    "lemma": "write `invariant`",
    "property": "write `invariant`",
    "axiom": "nothing is an axiom: write an `invariant` and `assume` what it needs",
    "requires": "write `assume`",
    "ensures": "write `show`",
    "switch": "write `match (x) { case … }`",
    "default": "write `case _ : value`",
    "otherwise": "write `case _ : value`",
    "when": "write `case PATTERN : value`",
    "var": "write `let`",
    "val": "write `let`",
}

# words that stand before what they mislead, so that the word after them is the one that does not fit
LEADING = {"not", "return", "forall", "exists", "switch", "var", "val"}

# words that begin an expression but no operand
OPENING = {"if", "let"}
