#compdef ww
# Completion of ww for zsh. Put into ~/.zshrc, behind compinit:
#     source <(ww completions zsh)
_ww() {
    local state word means
    local -a open closed
    while IFS=$'\t' read -r state word means; do
        word=${word//:/\\:}
        case $state in
            open) open+=("$word${means:+:$means}") ;;
            closed) closed+=("$word${means:+:$means}") ;;
        esac
    done < <("${words[1]/#\~/$HOME}" __complete zsh "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)
    local found=1
    (( $#closed )) && _describe -t words word closed -Q && found=0
    (( $#open )) && _describe -t keys key open -Q -S '' && found=0
    return found
}
compdef _ww ww
