# Log lines → files `summary` (name, number), `messages` (count, first line, level, message, example) and `hours`.

BEGIN {
  MAX_LINE = 4000
  MAX_MESSAGE = 200
  MAX_DISTINCT = 50000
  RANK["fatal"] = 5; RANK["error"] = 4; RANK["warning"] = 3; RANK["info"] = 2; RANK["debug"] = 1; RANK["all"] = 0; RANK["other"] = 0
  split("jan feb mar apr may jun jul aug sep oct nov dec", names, " ")
  for (i = 1; i <= 12; i++) MONTH[names[i]] = sprintf("%02d", i)
  count["fatal"] = count["error"] = count["warning"] = count["info"] = count["debug"] = count["other"] = 0
  bytes = first_hour = last_hour = ""
}

{
  line = length($0) > MAX_LINE ? substr($0, 1, MAX_LINE) : $0
  # Colours and other commands for terminals.
  gsub(/\033\[[0-9;?]*[A-Za-z]/, "", line)
  if (line ~ /^[ \t]*$/) next
  lines++
  # Lines that begin with a space, and those of stack traces, belong to the message before.
  if (line ~ /^[ \t]/ || line ~ /^(Caused by|Traceback|\.\.\. [0-9]+ more)/) { continued++; next }
  level = level_of(line)
  count[level]++
  hour = hour_of(line)
  if (hour != "") {
    if (first_hour == "" || hour < first_hour) first_hour = hour
    if (hour > last_hour) last_hour = hour
    if (RANK[level] >= RANK["error"]) errors[hour]++
  }
  if (RANK[level] < RANK[lowest]) next
  message = level "\t" shape_of(line)
  if (message in seen) seen[message]++
  else if (distinct < MAX_DISTINCT) {
    distinct++
    seen[message] = 1
    first[message] = NR
    example[message] = one_field(line)
  } else rare++
}

END {
  for (level in count) print level "\t" count[level] > (directory "/summary")
  print "lines\t" lines + 0 > (directory "/summary")
  print "continued\t" continued + 0 > (directory "/summary")
  print "distinct\t" distinct + 0 > (directory "/summary")
  print "rare\t" rare + 0 > (directory "/summary")
  print "first_hour\t" first_hour > (directory "/summary")
  print "last_hour\t" last_hour > (directory "/summary")
  printf "" > (directory "/messages")
  printf "" > (directory "/hours")
  for (message in seen) print seen[message] "\t" first[message] "\t" message "\t" example[message] > (directory "/messages")
  for (hour in errors) print hour "\t" errors[hour] > (directory "/hours")
}

# What an HTTP status says, or the first word for a level near the beginning.
function level_of(line,    head, status) {
  # What an access log says is in the status, whatever the address that was asked for.
  if (match(line, /" [1-5][0-9][0-9] /)) {
    status = substr(line, RSTART + 2, 1)
    return status == "5" ? "error" : status == "4" ? "warning" : "info"
  }
  head = tolower(substr(line, 1, 300))
  if (match(head, /(^|[^a-z])(fatal|critical|crit|emerg|emergency|alert|panic|error|err|severe|warning|warn|notice|info|information|debug|trace|verbose)([^a-z]|$)/)) {
    head = substr(head, RSTART, RLENGTH)
    gsub(/[^a-z]/, "", head)
    if (head ~ /^(fatal|crit|emerg|alert|panic)/) return "fatal"
    if (head ~ /^(err|severe)/) return "error"
    if (head ~ /^warn/) return "warning"
    if (head ~ /^(notice|info)/) return "info"
    return "debug"
  }
  # Exceptions are errors, whatever stands around them.
  return line ~ /(Exception|Error)(:|$)/ ? "error" : "other"
}

# 2026-05-11T14, [11/May/2026:14 or May 11 14 → "2026-05-11 14:00", or without the year.
function hour_of(line,    head, parts) {
  head = substr(line, 1, 120)
  if (match(head, /[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:/)) return substr(head, RSTART, 10) " " substr(head, RSTART + 11, 2) ":00"
  if (match(head, /[0-3][0-9]\/[A-Z][a-z][a-z]\/[12][0-9][0-9][0-9]:[0-2][0-9]:/)) {
    split(substr(head, RSTART, RLENGTH), parts, /[\/:]/)
    if (tolower(parts[2]) in MONTH) return parts[3] "-" MONTH[tolower(parts[2])] "-" parts[1] " " parts[4] ":00"
  }
  if (match(head, /^[A-Z][a-z][a-z] [ 0-3][0-9] [0-2][0-9]:/) && (tolower(substr(head, 1, 3)) in MONTH)) {
    parts[1] = substr(head, 5, 2)
    sub(/ /, "0", parts[1])
    return MONTH[tolower(substr(head, 1, 3))] "-" parts[1] " " substr(head, 8, 2) ":00"
  }
  return ""
}

# The message without what differs from time to time.
function shape_of(line) {
  sub(/^\[?[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9])?([.,][0-9]+)?(Z| ?[+-][0-9][0-9]:?[0-9][0-9])?\]? */, "", line)
  sub(/^[A-Z][a-z][a-z] [ 0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9] [^ ]+ /, "", line)
  sub(/\[[0-3][0-9]\/[A-Z][a-z][a-z]\/[12][0-9][0-9][0-9]:[^]]*\] */, "", line)
  gsub(/[0-9a-fA-F]+-[0-9a-fA-F]+-[0-9a-fA-F]+-[0-9a-fA-F]+-[0-9a-fA-F]+/, "<id>", line)
  gsub(/[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(:[0-9]+)?/, "<ip>", line)
  gsub(/0x[0-9a-fA-F]+/, "<n>", line)
  gsub(/[0-9]+([.,][0-9]+)*/, "<n>", line)
  return one_field(line)
}

function one_field(text) {
  gsub(/[\001-\037\177]+/, " ", text)
  gsub(/  +/, " ", text)
  sub(/^ /, "", text)
  sub(/ $/, "", text)
  return length(text) > MAX_MESSAGE ? cut(text) : text
}

# Not in the middle of a character.
function cut(text,    at) {
  at = MAX_MESSAGE
  while (at > MAX_MESSAGE - 4 && substr(text, at + 1, 1) ~ /[\200-\277]/) at--
  return substr(text, 1, at) "..."
}
