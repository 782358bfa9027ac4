import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { HostError, reasonOf } from '../errors.ts';
import { LANGUAGES, type Language } from '../manifest/plugin.ts';
import type { StarterFiles } from '../manifest/starters/starter.ts';
import { isStarterSystem, STARTERS } from '../manifest/starters/starters.ts';
import { NameSchema } from '../manifest/text.ts';
import { EXIT } from './exit-codes.ts';
import { writeJson, type Output } from './output.ts';

interface NewOptions {
  readonly system: string;
  readonly name: string;
  readonly language: string;
  /** Where the plugin’s own directory is made; the working directory unless given. */
  readonly dir: string;
  readonly json: boolean;
  readonly output: Output;
}

/** `plugbridge new SYSTEM NAME`: a complete plugin to begin with, in a directory of its own. Throws COMMANDS_NEW_REFUSED. */
export function runNew({ system, name, language, dir, json, output }: NewOptions): Promise<number> {
  const refuse = (reason: string, cause?: unknown): HostError => new HostError('COMMANDS_NEW_REFUSED', { plugin: name, reason }, { cause });
  if (!isStarterSystem(system)) {
    throw refuse(`there is nothing to begin with for the system "${system}", wanted is ${Object.keys(STARTERS).join(' or ')}`);
  }
  const named = NameSchema.safeParse(name);
  if (!named.success) throw refuse(`the name must be ${named.error.issues[0]?.message ?? 'another one'}`);
  if (!isLanguage(language)) throw refuse(`the language is "${language}", wanted is ${LANGUAGES.join(', ')}`);
  const directory = join(resolve(dir), name);
  const files = STARTERS[system]({ name, language });
  try {
    writeFiles(directory, files);
  } catch (error) {
    throw refuse(isThere(error) ? `"${directory}" is there already` : reasonOf(error), error);
  }
  if (json) writeJson(output, { plugin: name, system, directory, files: Object.keys(files) });
  else
    output.write(
      [`Made ${directory}:`, ...Object.keys(files).map((file) => `  ${file}`), '', `Next: plugbridge validate ${directory}`].join('\n'),
    );
  return Promise.resolve(EXIT.ok);
}

/** All or nothing: what is half there is taken away again. */
function writeFiles(directory: string, files: StarterFiles): void {
  mkdirSync(dirname(directory), { recursive: true });
  mkdirSync(directory);
  try {
    for (const [file, text] of Object.entries(files)) {
      const path = join(directory, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { flag: 'wx' });
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

const isLanguage = (text: string): text is Language => (LANGUAGES as readonly string[]).includes(text);
const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';
