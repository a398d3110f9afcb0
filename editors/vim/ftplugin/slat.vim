" Settings for slat: comments, indentation, the checker for :make, and its quickfix list by :SlatCheck.

if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:// commentstring=//\ %s
setlocal expandtab shiftwidth=2 softtabstop=2 textwidth=120
compiler slat

" What `slat check --json` says of the project around this file: one entry a diagnostic, with its end and what helps.
function! s:Check() abort
  let l:root = fnamemodify(findfile('specs/MANUALS.toml', expand('%:p:h') . ';'), ':p:h:h')
  let l:said = systemlist('slat check --json --root ' . shellescape(l:root) . ' 2>/dev/null')
  if empty(l:said)
    echohl ErrorMsg | echomsg '`slat check` gave no answer; is slat in PATH?' | echohl None
    return
  endif
  let l:items = []
  for l:one in json_decode(join(l:said, "\n")).diagnostics
    call add(l:items, {
          \ 'filename': has_key(l:one, 'file') ? l:root . '/' . l:one.file : '',
          \ 'lnum': get(l:one, 'line', 0), 'col': get(l:one, 'column', 0),
          \ 'end_lnum': get(l:one, 'end_line', 0), 'end_col': get(l:one, 'end_column', 0),
          \ 'type': toupper(l:one.severity[0]),
          \ 'text': l:one.code . ': ' . l:one.message . (empty(l:one.help) ? '' : '; ' . l:one.help),
          \ })
  endfor
  call setqflist([], 'r', {'title': 'slat check', 'items': l:items})
  cwindow
endfunction

command! -buffer -bar SlatCheck call s:Check()

let b:undo_ftplugin = 'setlocal comments< commentstring< expandtab< shiftwidth< softtabstop< textwidth< makeprg<'
      \ . ' errorformat< | delcommand -buffer SlatCheck'
