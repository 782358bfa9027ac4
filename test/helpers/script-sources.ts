import type { Language } from '../../src/manifest/plugin.ts';

/** The same small program in every language: what it does is in its name. */
export type Sources = Readonly<Record<Language, string>>;

/** Answers with `{"got": <its arguments from stdin>}`. */
export const ECHOES: Sources = {
  python: 'import json, sys\nprint(json.dumps({"got": json.load(sys.stdin)}))\n',
  node: "const got = JSON.parse(require('fs').readFileSync(0, 'utf8'));\nconsole.log(JSON.stringify({ got }));\n",
  typescript:
    "import { readFileSync } from 'node:fs';\nconst got: unknown = JSON.parse(readFileSync(0, 'utf8'));\nconsole.log(JSON.stringify({ got }));\n",
  bash: 'read -r got\nprintf \'{"got": %s}\\n\' "$got"\n',
  ruby: 'require "json"\nputs({ got: JSON.parse(STDIN.read) }.to_json)\n',
};

/** Answers with its first argument and its stdin, as texts. */
export const TELLS_INPUT: Sources = {
  python: 'import json, sys\nprint(json.dumps({"argv": sys.argv[1:], "stdin": sys.stdin.read()}))\n',
  node: "console.log(JSON.stringify({ argv: process.argv.slice(2), stdin: require('fs').readFileSync(0, 'utf8') }));\n",
  typescript:
    "import { readFileSync } from 'node:fs';\nconsole.log(JSON.stringify({ argv: process.argv.slice(2), stdin: readFileSync(0, 'utf8') }));\n",
  bash: 'python3 - "$(cat)" "$@" <<< \'import json, sys; print(json.dumps({"argv": sys.argv[2:], "stdin": sys.argv[1] + ("\\n" if sys.argv[1] else "")}))\'\n',
  ruby: 'require "json"\nputs({ argv: ARGV, stdin: STDIN.read }.to_json)\n',
};

/** Writes `out.txt`, answers with its directory, what was in it before, and some variables; says a word on stderr. */
export const TELLS_SURROUNDINGS: Sources = {
  python: `import json, os, sys
before = os.listdir('.')
open('out.txt', 'w').write('made')
sys.stderr.write('a word\\n')
print(json.dumps({'cwd': os.getcwd(), 'before': before, 'variables': dict(os.environ), 'files': ['out.txt']}))
`,
  node: `const fs = require('node:fs');
const before = fs.readdirSync('.');
fs.writeFileSync('out.txt', 'made');
console.error('a word');
console.log(JSON.stringify({ cwd: process.cwd(), before, variables: { ...process.env }, files: ['out.txt'] }));
`,
  typescript: `import fs from 'node:fs';
const before: string[] = fs.readdirSync('.');
fs.writeFileSync('out.txt', 'made');
console.error('a word');
console.log(JSON.stringify({ cwd: process.cwd(), before, variables: { ...process.env }, files: ['out.txt'] }));
`,
  bash: `before=$(ls)
printf made > out.txt
echo 'a word' >&2
printf '{"cwd":"%s","before":[%s],"variables":{' "$PWD" "$before"
comma=
while IFS='=' read -r name value; do printf '%s"%s":"%s"' "$comma" "$name" "$value"; comma=,; done < <(env)
printf '},"files":["out.txt"]}'
`,
  ruby: `require 'json'
before = Dir.children('.')
File.write('out.txt', 'made')
warn 'a word'
puts({ cwd: Dir.pwd, before: before, variables: ENV.to_h, files: ['out.txt'] }.to_json)
`,
};

/** Loops for ever without a break. */
export const LOOPS: Sources = {
  python: 'while True: pass\n',
  node: 'for (;;);\n',
  typescript: 'for (;;);\n',
  bash: 'while :; do :; done\n',
  ruby: 'loop {}\n',
};

/** Ends with the exit code 3 and a last word on stderr. */
export const FAILS: Sources = {
  python: 'import sys\nsys.stderr.write("no such row\\n")\nsys.exit(3)\n',
  node: "process.stderr.write('no such row\\n');\nprocess.exitCode = 3;\n",
  typescript: "process.stderr.write('no such row\\n');\nprocess.exitCode = 3 as number;\n",
  bash: 'echo "no such row" >&2\nexit 3\n',
  ruby: 'warn "no such row"\nexit 3\n',
};
