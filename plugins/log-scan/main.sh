#!/usr/bin/env bash
# Sums a log up. Arguments: one JSON object on stdin; answer: one JSON object on stdout.
set -euo pipefail
# Bytes, not characters: a log may hold any.
export LC_ALL=C

here=$(dirname -- "${BASH_SOURCE[0]}")
work=$(mktemp -d "${TMPDIR:-/tmp}/log-scan.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
  printf '%s' "$1" | awk -f "$here/json.awk" -f "$here/fail.awk"
  exit 0
}

# Every argument becomes a file of its name: values never meet the shell.
awk -v directory="$work" -f "$here/json.awk" -f "$here/arguments.awk" || fail 'Cannot read the arguments: wanted a JSON object of strings and numbers'
argument() {
  if [[ -f $work/$1 ]]; then cat "$work/$1"; else printf '%s' "$2"; fi
}
top=$(argument top 10)
level=$(argument level warning)
[[ $top =~ ^[0-9]{1,3}$ ]] || fail 'Cannot scan the log: "top" must be a whole number up to 100'

if [[ ${KAIZEN_COMMAND:-scan} == scan_file ]]; then
  # The dot keeps line feeds at the end of the name, which $(…) would drop.
  path=$(argument path '' && printf .)
  log=${path%.}
  [[ $log == /* ]] || log=$KAIZEN_ROOT_DIR/$log
  [[ -f $log && -r $log ]] || fail "Cannot read \"${path%.}\": wanted a file below the root"
else
  log=$work/text
  [[ -f $log ]] || fail 'Cannot scan the log: wanted "text"'
fi

# A NUL would end lines in some versions of awk.
tr -d '\000\r' < "$log" | awk -v directory="$work" -v lowest="$level" -f "$here/scan.awk"
sort -t $'\t' -k1,1nr -k2,2n "$work/messages" > "$work/messages.sorted"
head -n "$top" "$work/messages.sorted" > "$work/top"
sort "$work/hours" > "$work/hours.sorted"
awk -v summary="$work/summary" -v hours="$work/hours.sorted" -f "$here/json.awk" -f "$here/report.awk" "$work/top"
