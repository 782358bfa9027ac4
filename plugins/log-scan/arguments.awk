# Reads one flat JSON object and writes each value to a file of its key. Exits with 1 for anything else.
# The text is cut at its backslashes and written piece by piece, so that long strings take time in proportion.

{ json = json (NR > 1 ? "\n" : "") $0 }

END {
  pieces = split(json, piece, /\\/)
  at = 1
  rest = piece[1]
  expect("{")
  if (peek() == "}") exit 0
  while (1) {
    peek()
    key = take_key()
    file = directory "/" key
    expect(":")
    printf "" > file
    if (peek() == "\"") write_string(file)
    else printf "%s", take("-?[0-9.eE+]+|true|false|null") > file
    close(file)
    if (peek() == "}") exit 0
    expect(",")
  }
}

function peek() {
  sub(/^[ \t\r\n]+/, "", rest)
  return substr(rest, 1, 1)
}
function expect(character) {
  if (peek() != character) exit 1
  rest = substr(rest, 2)
}
function take(pattern,    found) {
  if (!match(rest, "^(" pattern ")")) exit 1
  found = substr(rest, 1, RLENGTH)
  rest = substr(rest, RLENGTH + 1)
  return found
}

# A plain name, for it becomes one of a file.
function take_key(    found) {
  if (!match(rest, /^"[a-z_]+"/) || RLENGTH > 34) exit 1
  found = substr(rest, 2, RLENGTH - 2)
  rest = substr(rest, RLENGTH + 1)
  return found
}

function write_string(file,    end) {
  expect("\"")
  while (1) {
    end = index(rest, "\"")
    if (end > 0) {
      printf "%s", substr(rest, 1, end - 1) > file
      rest = substr(rest, end + 1)
      return
    }
    printf "%s", rest > file
    if (++at > pieces) exit 1
    rest = piece[at]
    # Nothing between two backslashes: the second is what the first escapes.
    if (rest == "") {
      printf "\\" > file
      if (++at > pieces) exit 1
      rest = piece[at]
    } else if (substr(rest, 1, 1) == "u") printf "%s", utf8(take_code()) > file
    else if (substr(rest, 1, 1) in ESCAPE) {
      printf "%s", ESCAPE[substr(rest, 1, 1)] > file
      rest = substr(rest, 2)
    } else exit 1
  }
}

# The number behind \uXXXX, or behind two of them that stand for one character; half of such a pair is U+FFFD.
function take_code(    code, low) {
  code = from_hex(substr(rest, 2, 4))
  if (code < 0) exit 1
  rest = substr(rest, 6)
  if (code < 55296 || code > 57343) return code
  low = rest == "" && substr(piece[at + 1], 1, 1) == "u" ? from_hex(substr(piece[at + 1], 2, 4)) : -1
  if (code > 56319 || low < 56320 || low > 57343) return 65533
  rest = substr(piece[++at], 6)
  return 65536 + (code - 55296) * 1024 + low - 56320
}
