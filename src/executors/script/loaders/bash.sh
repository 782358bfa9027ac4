# Bash reads this before the script, because BASH_ENV names it (bash(1), “Invocation”): waits for the call, then leaves no
# trace but the arguments and, in plain scripts, what writes the end mark. Bash itself opens and runs the script afterwards.
unset BASH_ENV
IFS= read -r -d '' __plugbridge_text 2>/dev/null <"$0"
# A script that knows traps, signals or tracing, or lets other files say what it does, could meet the trap below, or end
# without it: then the end of the process is the end.
case $__plugbridge_text in
  *trap* | *kill* | *source* | *eval* | *trace* | .[[:space:]]* | *[[:space:]\;\&\|\(\{].[[:space:]]*) __plugbridge_plain= ;;
  *set\ [-+]x* | *set\ [-+]?x* | *set\ [-+]??x* | *set\ [-+]???x* | *set\ [-+]????x*) __plugbridge_plain= ;;
  *) __plugbridge_plain=1 ;;
esac
IFS=' ' read -r __plugbridge_nonce __plugbridge_bytes || exit 0
set --
if [[ $__plugbridge_bytes == [1-9]* ]]; then
  # As bytes, whatever the locale; `-N` is missing in the Bash 3.2 of macOS.
  LC_ALL=C IFS= read -r -d '' -n "$__plugbridge_bytes" __plugbridge_text || exit 0
  set -- "$__plugbridge_text"
fi
if [[ $__plugbridge_plain ]]; then
  # Subshells do not inherit it, and it is gone when the script becomes another program. Bash keeps the exit code.
  __plugbridge_text="builtin printf '\\000$__plugbridge_nonce:%d\\000' \"\$1\""
  trap "set -- \$?; $__plugbridge_text 2>/dev/null || :; $__plugbridge_text >&2 2>/dev/null || :" EXIT
fi
unset __plugbridge_nonce __plugbridge_bytes __plugbridge_text __plugbridge_plain
