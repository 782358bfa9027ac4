import { posix } from 'node:path';

import { readFileTree } from '../file-tree.ts';
import type { Findings } from '../findings.ts';
import type { PluginDirectory } from '../format.ts';
import { SCRIPT_LIMITS, type Language, type Plugin, type ScriptRuntime } from '../plugin.ts';
import { readPluginFile } from '../plugin-file.ts';
import { quote, type KeyPath } from '../problem.ts';
import type { LimitsKind } from '../plugin-toml/limits.ts';
import { findScript, languageOf } from './find-script.ts';
import { ScriptLimitsSchema } from './schema.ts';

/** What a script may have; it is read as a whole to be checked and described. */
const MAX_SCRIPT_BYTES = 8 * 1024 * 1024;

export const SCRIPT_LIMITS_KIND: LimitsKind = { schema: ScriptLimitsSchema, defaults: SCRIPT_LIMITS };

/** The environment of a script: Kaizen’s three (kaizen.md, PROPOSED), and ours for what it lacks. */
export const SCRIPT_VARIABLES = {
  KAIZEN_PLUGIN_NAME: 'plugin-name',
  KAIZEN_PLUGIN_DIR: 'plugin-directory',
  KAIZEN_OUTPUT_DIR: 'run-directory',
  KAIZEN_DATA_DIR: 'data-directory',
  KAIZEN_ROOT_DIR: 'root-directory',
  KAIZEN_COMMAND: 'command',
} as const satisfies ScriptRuntime['variables'];

export interface ScriptSource {
  readonly input: PluginDirectory;
  readonly language: Language | undefined;
  readonly main: string | undefined;
  readonly settings: { readonly input?: ScriptRuntime['input'] | undefined; readonly dependencies?: readonly string[] | undefined };
  /** The table that `main` and the language stand in, and the key of the language there. */
  readonly path: KeyPath;
  readonly languageKey: string;
  readonly findings: Findings;
}

export interface FoundScript {
  readonly runtime: ScriptRuntime;
  readonly files: Plugin['files'];
  readonly bytes: Uint8Array;
}

/** Finds the script of a plugin and hashes everything that it can load; undefined with the problems recorded. */
export function findScriptRuntime(source: ScriptSource): FoundScript | undefined {
  const { input, findings, path } = source;
  const main = source.main === undefined ? chooseMain(source) : posix.normalize(source.main);
  if (main === undefined) return undefined;
  const language = chooseLanguage(source, main);
  const script = readPluginFile(input.directory, main, MAX_SCRIPT_BYTES);
  if (!script.ok) {
    const found = `${quote(main)}, which cannot be used: ${script.reason}`;
    if (source.main === undefined) findings.problem([], `has the script ${found}`);
    else findings.problem([...path, 'main'], `is ${found}`);
  }
  // Half a gigabyte may lie there, so that it is hashed only where something can come of it.
  if (language === undefined || !script.ok || findings.problems.length > 0) return undefined;
  const tree = readFileTree(input.directory);
  if (!tree.ok) {
    const held = tree.file === '.' ? 'that no plugin can be' : `with ${quote(tree.file)}, which no plugin can have`;
    findings.problem([], `lies in a directory ${held}: ${tree.reason}`);
    return undefined;
  }
  if (!Object.hasOwn(tree.files, script.path)) {
    findings.problem(
      [...path, 'main'],
      `is ${quote(main)}, which is no part of the plugin: wanted a file that no editor or version control left`,
    );
    return undefined;
  }
  const { input: channel = 'stdin', dependencies = [] } = source.settings;
  return {
    runtime: {
      kind: 'script',
      language,
      main: script.path,
      input: channel,
      variables: SCRIPT_VARIABLES,
      dependencies: [...new Set(dependencies)],
    },
    files: tree.files,
    bytes: script.bytes,
  };
}

function chooseMain({ input, language, path, findings }: ScriptSource): string | undefined {
  const { main, count } = findScript(input, language);
  if (main === undefined) {
    const found = count === 0 ? 'and there is no script beside the manifest' : `and ${count} scripts lie beside the manifest`;
    findings.problem([...path, 'main'], `is missing, ${found}: wanted the script, such as "main.py"`);
  }
  return main;
}

function chooseLanguage({ language, path, languageKey, findings }: ScriptSource, main: string): Language | undefined {
  const named = languageOf(main);
  const at = [...path, languageKey];
  if (language === undefined && named === undefined) {
    findings.problem(at, `is missing, and the name ${quote(main)} does not tell it: wanted python, node, typescript, bash or ruby`);
  } else if (language !== undefined && named !== undefined && named !== language) {
    findings.problem(at, `is ${quote(language)}, but ${quote(main)} is ${named} by its name: wanted them to agree`);
    return undefined;
  }
  return language ?? named;
}
