# Reads the Bash scripts that it is given and runs none of them. Prints `index<TAB>line<TAB>message` for each that is wrong.
index=0
for file; do
  if ! said=$("$BASH" -n -- "$file" 2>&1); then
    said=${said#"$file: "}
    said=${said%%$'\n'*}
    line=0
    if [[ $said =~ ^line\ ([0-9]+):\ (.*)$ ]]; then
      line=${BASH_REMATCH[1]}
      said=${BASH_REMATCH[2]}
    fi
    printf '%s\t%s\t%s\n' "$index" "$line" "$said"
  fi
  index=$((index + 1))
done
