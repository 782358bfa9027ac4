input=$(cat)
text=${input#*'"text":"'}
printf '{"text":"%s"}\n' "${text%%'"'*}"
