# Completion of ww for bash. Put into ~/.bashrc:
#     source <(ww completions bash)
# The line goes to ww as it stands, because bash divides its words at : and = too.
_ww() {
    local IFS=$'\n'
    compopt -o nospace
    COMPREPLY=($(COMP_WORDBREAKS=$COMP_WORDBREAKS "${1/#\~/$HOME}" __complete bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
}
complete -F _ww ww
