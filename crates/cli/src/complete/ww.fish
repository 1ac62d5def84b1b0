# Completion of ww for fish. Put into ~/.config/fish/completions/ww.fish:
#     ww completions fish | source
function __ww_complete
    set -l words (commandline -opc)
    $words[1] __complete fish $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c ww -f -a '(__ww_complete)'
