" `:compiler slat`, then `:make` fills the quickfix list with what `slat check` says.

if exists('current_compiler')
  finish
endif
let current_compiler = 'slat'

CompilerSet makeprg=slat\ check
CompilerSet errorformat=
      \%Eerror[E%n]:\ %m,
      \%Wwarning[W%n]:\ %m,
      \%Z%*[\ ]-->\ %f:%l:%c,
      \%-G%.%#
