# The files of scan.awk → one JSON object. The main input is the most frequent messages.

BEGIN {
  FS = "\t"
  while ((getline line < summary) > 0) {
    split(line, parts, "\t")
    number[parts[1]] = parts[2]
  }
  while ((getline line < hours) > 0) {
    split(line, parts, "\t")
    by_hour = by_hour (by_hour == "" ? "" : ",") sprintf("{\"hour\":%s,\"errors\":%d}", quote(parts[1]), parts[2])
  }
}

{
  messages = messages (messages == "" ? "" : ",") sprintf("{\"count\":%d,\"level\":%s,\"first_line\":%d,\"message\":", $1, quote($3), $2) quote($4) ",\"example\":" quote($5) "}"
}

END {
  printf "{\"lines\":%d,\"levels\":{\"fatal\":%d,\"error\":%d,\"warning\":%d,\"info\":%d,\"debug\":%d,\"other\":%d}", number["lines"], number["fatal"], number["error"], number["warning"], number["info"], number["debug"], number["other"]
  printf ",\"continuation_lines\":%d,\"distinct_messages\":%d", number["continued"], number["distinct"]
  if (number["rare"] > 0) printf ",\"messages_not_counted\":%d", number["rare"]
  if (number["first_hour"] != "") printf ",\"from\":%s,\"to\":%s", quote(number["first_hour"]), quote(number["last_hour"])
  printf ",\"top\":["
  printf "%s", messages
  printf "],\"errors_by_hour\":["
  printf "%s", by_hour
  print "]}"
}
