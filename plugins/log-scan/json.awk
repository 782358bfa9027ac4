# JSON in awk, byte by byte, for LC_ALL=C.

BEGIN {
  for (i = 1; i < 256; i++) ORD[sprintf("%c", i)] = i
  ESCAPE["b"] = "\b"; ESCAPE["f"] = "\f"; ESCAPE["n"] = "\n"; ESCAPE["r"] = "\r"; ESCAPE["t"] = "\t"
  ESCAPE["\""] = "\""; ESCAPE["\\"] = "\\"; ESCAPE["/"] = "/"
}

# How many bytes the UTF-8 character at this place has; 0 when there is none (RFC 3629).
function utf8_length(text, at,    first, second, wanted, i, byte) {
  first = ORD[substr(text, at, 1)]
  if (first < 128) return 1
  wanted = first >= 194 && first < 224 ? 2 : first >= 224 && first < 240 ? 3 : first >= 240 && first < 245 ? 4 : 0
  for (i = 1; i < wanted; i++) {
    byte = ORD[substr(text, at + i, 1)]
    if (byte < 128 || byte > 191) return 0
  }
  second = ORD[substr(text, at + 1, 1)]
  if ((first == 224 && second < 160) || (first == 237 && second > 159)) return 0
  if ((first == 240 && second < 144) || (first == 244 && second > 143)) return 0
  return wanted
}

# A JSON string; what is not UTF-8 becomes U+FFFD.
function quote(text,    out, at, size, character) {
  if (text !~ /[^ !#-[\]-~]/) return "\"" text "\""
  for (at = 1; at <= length(text); at += size) {
    size = utf8_length(text, at)
    character = substr(text, at, size)
    if (size == 0) { out = out "\\ufffd"; size = 1 }
    else if (size > 1) out = out character
    else if (character == "\"" || character == "\\") out = out "\\" character
    else if (ORD[character] < 32 || ORD[character] == 127) out = out sprintf("\\u%04x", ORD[character])
    else out = out character
  }
  return "\"" out "\""
}

# A number below 2^31 written in base 16; -1 when it is none.
function from_hex(text,    value, i, digit) {
  value = 0
  for (i = 1; i <= length(text); i++) {
    digit = index("0123456789abcdef", tolower(substr(text, i, 1)))
    if (digit == 0) return -1
    value = value * 16 + digit - 1
  }
  return length(text) == 4 ? value : -1
}

function utf8(code) {
  # No version of awk can be counted on to write a NUL.
  if (code == 0) return ""
  if (code < 128) return sprintf("%c", code)
  if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
  if (code < 65536) return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
  return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, 128 + int(code / 64) % 64, 128 + code % 64)
}
