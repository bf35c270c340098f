complete --keep-order --exclusive --command ovhai --arguments "(COMPLETE=fish ovhai -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
