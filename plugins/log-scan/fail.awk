# A message on stdin → {"error": …}.
{ message = message (NR > 1 ? "\n" : "") $0 }
END { printf "{\"error\":%s}", quote(message) }
