import { extname, join } from 'node:path';

import type { Language } from '../../../manifest/plugin.ts';
import type { Inspection } from '../../executor.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { FoundInterpreter, Interpreters } from './interpreters.ts';
import { LANGUAGE_TABLE, type LanguageEntry } from './languages.ts';
import { oneLine, runTool } from './run-tool.ts';
import type { TypeScript, TypeScriptPlugin } from './typescript.ts';

export interface SyntaxCheckOptions {
  readonly sandbox: Sandbox;
  readonly interpreters: Interpreters;
  readonly typescript: TypeScript;
  /** Where our loaders are, absolute and canonical. */
  readonly loadersDirectory: string;
}

export interface CheckedPlugin extends TypeScriptPlugin {
  readonly language: Language;
}

/** More files of one plugin than that are not looked at. */
export const MAX_CHECKED_FILES = 200;
const MAX_OUTPUT_BYTES = 256 * 1024;
const MAX_PROBLEMS = 50;

/** What looks at files of a language: options of its interpreter, and a program in `loaders/`. TypeScript has its compiler. */
const CHECKERS = {
  python: { options: ['-I', '-S', '-B', '-X', 'utf8'], program: 'check.py' },
  node: { options: ['--no-warnings', '--experimental-vm-modules'], program: 'check.cjs' },
  bash: { options: ['--norc', '--noprofile'], program: 'check.sh' },
  ruby: { options: ['--disable=gems'], program: 'check.rb' },
} as const satisfies Record<Exclude<Language, 'typescript'>, { options: readonly string[]; program: string }>;

/** Installed packages are not the plugin’s to be right or wrong about. */
const DEPENDENCIES = /^(?:node_modules|\.dependencies)\/|\/(?:node_modules|\.dependencies)\//;

/**
 * Checks the syntax of a plugin’s script and of its other files in the same language, in the sandbox and without running
 * any (kaizen.md, “syntax check”). Problems read `file:line: message`. Throws HostError where nothing can be started.
 */
export async function checkSyntax(plugin: CheckedPlugin, options: SyntaxCheckOptions): Promise<Inspection> {
  const { language } = plugin;
  const interpreter = options.interpreters.find(language);
  if (!interpreter.ok) return { ok: false, problems: [interpreter.reason] };
  const { checked, skipped } = chooseFiles(plugin);
  const problems =
    language === 'typescript'
      ? await checkTypeScript(plugin, checked, options.typescript)
      : await check({ language, directory: plugin.directory, files: checked, interpreter }, options);
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
  return { ok: true, warnings: skipped === 0 ? [] : [`${skipped} files were not checked, for there are more than ${MAX_CHECKED_FILES}`] };
}

/** The script first, whatever it is called, then all that end as files of the language do. */
export function chooseFiles({ main, files, language }: Pick<CheckedPlugin, 'main' | 'files' | 'language'>) {
  const { extensions }: LanguageEntry = LANGUAGE_TABLE[language];
  const others = Object.keys(files)
    .filter((file) => file !== main && extensions.includes(extname(file)) && !DEPENDENCIES.test(file))
    .sort();
  const all = [main, ...others];
  return { checked: all.slice(0, MAX_CHECKED_FILES), skipped: Math.max(0, all.length - MAX_CHECKED_FILES) };
}

async function checkTypeScript(plugin: TypeScriptPlugin, files: readonly string[], typescript: TypeScript): Promise<readonly string[]> {
  const prepared = await typescript.prepare(plugin);
  const others = await typescript.check(
    plugin.directory,
    files.filter((file) => file !== plugin.main),
  );
  // A file that the script imports is met twice.
  return [...new Set([...(prepared.ok ? [] : prepared.problems), ...others])];
}

interface Check {
  readonly language: keyof typeof CHECKERS;
  readonly directory: string;
  readonly files: readonly string[];
  readonly interpreter: Extract<FoundInterpreter, { ok: true }>;
}

async function check({ language, directory, files, interpreter }: Check, options: SyntaxCheckOptions): Promise<readonly string[]> {
  const checker = CHECKERS[language];
  const program = join(options.loadersDirectory, checker.program);
  const run = await runTool(options.sandbox, {
    command: [interpreter.program, ...checker.options, program, ...files.map((file) => join(directory, file))],
    mounts: [...interpreter.mounts, { source: program, target: program, access: 'read' }],
    pluginDirectory: directory,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  return run.ok ? parseProblems(run.stdout, files) : [`its syntax cannot be checked: ${run.reason}`];
}

/** Reads lines `index<TAB>line<TAB>message`; line 0 is none. What does not look like that is a problem itself. */
export function parseProblems(output: string, files: readonly string[]): readonly string[] {
  return output
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => {
      const [index = '', line = '', ...message] = text.split('\t');
      const file = /^\d{1,3}$/.test(index) ? files[Number(index)] : undefined;
      if (file === undefined) return `its syntax cannot be checked: ${oneLine(text)}`;
      return `${oneLine(file)}${/^[1-9]\d{0,8}$/.test(line) ? `:${line}` : ''}: ${oneLine(message.join(' '))}`;
    });
}
