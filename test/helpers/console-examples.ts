import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of a Markdown page. */
export interface Fence {
  /** The words after the backticks: the language, then for files of an example their path. */
  readonly info: readonly string[];
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function readFences(markdown: string): readonly Fence[] {
  const fences: Fence[] = [];
  let open: { info: readonly string[]; line: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open === undefined) {
      const info = /^```(.*)$/.exec(line)?.[1];
      if (info !== undefined) open = { info: info.split(' ').filter(Boolean), line: index + 1, lines: [] };
    } else if (line === '```') {
      fences.push({ info: open.info, line: open.line, text: open.lines.map((one) => `${one}\n`).join('') });
      open = undefined;
    } else open.lines.push(line);
  }
  return fences;
}

/** One `$ command` of a `console` block, what it should print on stdout and stderr, and how it should end. */
export interface Example {
  readonly command: string;
  readonly expected: readonly string[];
  /** 0 unless the output ends in `[exit code N]`. */
  readonly exitCode: number;
  readonly line: number;
}

/** The examples of a `console` block: everything after a line `$ …` is its output, up to the next one. */
export function readExamples({ text, line }: Fence): readonly Example[] {
  const examples: { command: string; expected: string[]; exitCode: number; line: number }[] = [];
  for (const [index, row] of text.trimEnd().split('\n').entries()) {
    const last = examples.at(-1);
    const exitCode = /^\[exit code (\d+)\]$/.exec(row)?.[1];
    if (row.startsWith('$ ')) examples.push({ command: row.slice(2), expected: [], exitCode: 0, line: line + 1 + index });
    else if (last === undefined) throw new Error(`line ${line + 1 + index}: a console block begins with "$ "`);
    else if (exitCode !== undefined) last.exitCode = Number(exitCode);
    else last.expected.push(row);
  }
  return examples;
}

/** Whether output is what a page shows: `…` is any text within a line, a line of `…` alone any number of lines. */
export function fitsOutput(expected: readonly string[], output: string): boolean {
  const pattern = expected
    .map((row) => (row === '…' ? '(?:[^\\n]*\\n)*' : `${row.split('…').map(escapePattern).join('[^\\n]*')}\\n`))
    .join('');
  const ended = output === '' || output.endsWith('\n') ? output : `${output}\n`;
  return new RegExp(`^${pattern}$`).test(ended);
}

const escapePattern = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

/** A place to run the examples of one page, one after another, as a reader would. */
export interface ExampleSession {
  run(command: string): { readonly output: string; readonly exitCode: number | null };
  /** A file that a page shows with its path. */
  write(path: string, text: string): void;
}

/** Makes a session below an empty directory: a project with the sample plugins in `plugins`, a home, and `plugbridge` on the path. */
export function openExampleSession(directory: string): ExampleSession {
  const [project, home, programs] = ['project', 'home', 'bin'].map((name) => join(directory, name)) as [string, string, string];
  for (const path of [home, programs]) mkdirSync(path, { recursive: true });
  cpSync(join(REPOSITORY, 'plugins'), join(project, 'plugins'), { recursive: true });
  const cli = copyBuiltCli(directory);
  const script = join(programs, 'plugbridge');
  writeFileSync(script, `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`);
  chmodSync(script, 0o755);
  const environment = { PATH: `${programs}:${process.env['PATH'] ?? ''}`, HOME: home, NO_COLOR: '1', LC_ALL: 'C.UTF-8' };
  return {
    run(command) {
      const options = { cwd: project, env: environment, encoding: 'utf8', timeout: 30_000 } as const;
      // One stream for both, so that lines come in the order in which a reader sees them.
      const { stdout, status } = spawnSync('/bin/sh', ['-c', `exec 2>&1; ${command}`], options);
      return { output: stdout, exitCode: status };
    },
    write(path, text) {
      mkdirSync(dirname(join(project, path)), { recursive: true });
      writeFileSync(join(project, path), text);
    },
  };
}

/** A copy of the built product, so that a build during the test takes nothing away. Returns its entry file. */
export function copyBuiltCli(directory: string): string {
  const built = join(REPOSITORY, 'dist');
  if (!existsSync(join(built, 'cli.js'))) throw new Error('dist/cli.js is missing: run node scripts/build.mjs');
  cpSync(built, join(directory, 'dist'), { recursive: true, filter: (path) => !path.endsWith('.map') });
  return join(directory, 'dist', 'cli.js');
}

export const readPage = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');
