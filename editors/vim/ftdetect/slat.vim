autocmd BufRead,BufNewFile *.slat setfiletype slat
