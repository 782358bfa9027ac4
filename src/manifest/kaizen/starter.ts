import type { Language } from '../plugin.ts';
import type { ScriptParameter, StarterFiles } from '../starters/starter.ts';
import { composeScript, MAIN_FILES } from './compose.ts';

/** A plugin to begin with: it works, has a test, and says how to go on. Pure. */
export function startScript({ name, language }: { readonly name: string; readonly language: Language }): StarterFiles {
  const files = composeScript({
    name,
    version: '0.1.0',
    description: 'Greets somebody by name',
    language,
    parameters: PARAMETERS,
    capabilities: [],
    code: CODE[language],
    tests: {
      example: { arguments: { name: 'Ada' }, expect: { message: 'Hello, Ada!' } },
      'empty-name': { arguments: { name: '' }, error: 'name is empty' },
    },
  });
  return { ...files, 'README.md': writeReadme(name, MAIN_FILES[language]) };
}

const PARAMETERS: readonly ScriptParameter[] = [
  { name: 'name', type: 'string', description: 'Who is greeted', required: true },
  { name: 'greeting', type: 'string', description: 'The word before the name', default: 'Hello' },
];

const CODE = {
  python: `"""Greets somebody by name."""

import json
import sys


def main():
    arguments = json.load(sys.stdin)
    name = arguments["name"]
    if not name:
        return {"error": "name is empty"}
    # What goes to stderr is the log.
    print("greeting one person", file=sys.stderr)
    return {"message": f"{arguments.get('greeting', 'Hello')}, {name}!"}


if __name__ == "__main__":
    json.dump(main(), sys.stdout, ensure_ascii=False)
`,
  node: `'use strict';

const { readFileSync } = require('node:fs');

/** Greets somebody by name. */
function main({ name, greeting = 'Hello' }) {
  if (!name) return { error: 'name is empty' };
  // What goes to stderr is the log.
  console.error('greeting one person');
  return { message: \`\${greeting}, \${name}!\` };
}

console.log(JSON.stringify(main(JSON.parse(readFileSync(0, 'utf8')))));
`,
  typescript: `import { readFileSync } from 'node:fs';

interface Arguments {
  readonly name: string;
  readonly greeting?: string;
}

/** Greets somebody by name. */
function main({ name, greeting = 'Hello' }: Arguments): { message: string } | { error: string } {
  if (!name) return { error: 'name is empty' };
  // What goes to stderr is the log.
  console.error('greeting one person');
  return { message: \`\${greeting}, \${name}!\` };
}

console.log(JSON.stringify(main(JSON.parse(readFileSync(0, 'utf8')))));
`,
  bash: `#!/usr/bin/env bash
# Greets somebody by name.
set -euo pipefail

# A text member of the JSON on stdin, with its escapes, so that it can be printed as JSON again.
member() {
  local pattern='"'"$1"'"[[:space:]]*:[[:space:]]*"(([^"\\\\]|\\\\.)*)"'
  if [[ $input =~ $pattern ]]; then
    printf '%s' "\${BASH_REMATCH[1]}"
  else
    printf '%s' "$2"
  fi
}

input=$(cat)
name=$(member name '')
greeting=$(member greeting Hello)

if [[ -z $name ]]; then
  printf '{"error": "name is empty"}\\n'
  exit 0
fi
# What goes to stderr is the log.
echo 'greeting one person' >&2
printf '{"message": "%s, %s!"}\\n' "$greeting" "$name"
`,
  ruby: `# frozen_string_literal: true

require 'json'

# Greets somebody by name.
def main(arguments)
  name = arguments.fetch('name')
  return { error: 'name is empty' } if name.empty?

  # What goes to stderr is the log.
  warn 'greeting one person'
  { message: "#{arguments.fetch('greeting', 'Hello')}, #{name}!" }
end

puts JSON.generate(main(JSON.parse($stdin.read)))
`,
} as const satisfies Record<Language, string>;

const writeReadme = (name: string, main: string): string => `# ${name}

Greets somebody by name.

- \`plugin.json\` describes the plugin: its parameters become the schema of the tool.
- \`${main}\` gets the arguments as one JSON object on stdin and prints the result as one JSON object. What it prints to stderr is the log; an object with \`error\` says that it could not.
- A file that it writes to the directory it starts in is kept when the result names it: \`{"files": ["chart.png"]}\`.
- \`tests/*.json\` say what comes out for which arguments.

\`\`\`
plugbridge validate .
plugbridge test ${name}
\`\`\`
`;
