" Vim syntax for slat, as the grammar has it (verifier/syntax/slat.lark); a test compares the two.
"
" Words that are never names are keywords. All others are words of the language in their place only, so they are
" matches: `list` is one before `(`, and a name elsewhere.

if exists('b:current_syntax')
  finish
endif

syntax case match
syntax iskeyword @,48-57,_

" Names first: of matches that begin together, the last one wins.
syntax match slatName     '\<_\?[a-z][a-z0-9_]*\>'
syntax match slatType     '\<[A-Z][A-Za-z0-9_]*\>'
syntax match slatNumber   '\<\%(0x[0-9a-fA-F]\+\|[0-9]\+\)\>'
syntax match slatOperator '++\|<<\|>>\|->\|&&\|||\|[=!<>]=\|[-+&|^!~<>=]'

syntax match slatLiteral   '\<\%(true\|false\|undefined\)\>'
syntax match slatPrimitive '\<bool\>'
syntax match slatPrimitive '\<bits\>\%(\_s*(\)\@='
syntax match slatDeclare   '\<bits\>\%(\_s\+[A-Z]\)\@='
syntax match slatClause    '\<\%(per\|is\)\>\%(\_s\+[A-Z]\)\@='
syntax match slatClause    '\<reading\>\%(\_s*"\)\@='
syntax match slatClause    '\<\%(any\|all\)\>\%(\_s\+of\>\)\@='
syntax match slatClause    '\<of\>\%(\_s*{\)\@='
syntax match slatClause    '\<\%(any\|all\|meet\|until\|list\)\>\%(\_s*(\)\@='
syntax match slatClause    '\<at\>\%(\_s\+_\?[a-z][a-z0-9_]*\_s\+in\>\)\@='
syntax match slatHeading   '\<\%(module\|patch\|use\|amend\)\>\%(\_s\+_\?[a-z]\)\@='
syntax match slatHeading   '\<on\>\%(\_s\+_\?[a-z][a-z0-9_]*\_s\+per\>\)\@='
syntax match slatHeading   '\<\%(add\|replace\|reshape\)\>\%(\_s\+\%(enum\|record\|bits\|const\|fn\|rule\|invariant\|witness\)\>\)\@='
syntax match slatHeading   '^\s*\zs\%(remove\|unavailable\)\>\%(\_s\+[A-Za-z_]\)\@='
syntax match slatVerdict   '\%(\<expect\_s\+\)\@<=\%(proved\|refuted\|not_modelled\)\>'
syntax match slatVerdict   '\%(\<amend\_s\+[a-z0-9_.]\+\_s\+\)\@<=\%(seen\|inferred\|unavailable\)\>'

syntax keyword slatDeclare     enum record const fn rule invariant witness
syntax keyword slatClause      for assume show expect
syntax keyword slatConditional if then else match case
syntax keyword slatClause      let
syntax keyword slatWord        implies within in with

" A name where a word of the language could not stand.
syntax match slatName '\%(\.\s*\)\@<=_\?[a-z][a-z0-9_]*\>'
syntax match slatName '\<\%(module\|patch\|use\|amend\|on\|add\|replace\|reshape\|remove\|unavailable\)\>\%(\_s*:\)\@='
syntax match slatName '\<\%(bits\|bool\|per\|is\|reading\|any\|all\|of\|meet\|until\|list\|at\)\>\%(\_s*:\)\@='
syntax match slatName '\<\%(proved\|refuted\|not_modelled\|seen\|inferred\)\>\%(\_s*:\)\@='

syntax match slatFunction '\%(\<\%(fn\|rule\|const\|invariant\|witness\)\_s\+\)\@<=_\?[a-z][a-z0-9_]*\>'

syntax match  slatComment '//.*$' contains=@Spell
syntax region slatString  start='"' end='"' oneline contains=@Spell

highlight default link slatComment     Comment
highlight default link slatString      String
highlight default link slatNumber      Number
highlight default link slatType        Type
highlight default link slatPrimitive   Type
highlight default link slatOperator    Operator
highlight default link slatWord        Operator
highlight default link slatLiteral     Constant
highlight default link slatVerdict     Constant
highlight default link slatDeclare     Keyword
highlight default link slatClause      Keyword
highlight default link slatHeading     Include
highlight default link slatConditional Conditional
highlight default link slatFunction    Function

let b:current_syntax = 'slat'
