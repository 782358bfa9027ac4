import { basename, extname } from 'node:path';

import type { PluginDirectory } from '../format.ts';
import type { Language } from '../plugin.ts';

/** kaizen.md, “Interpreters”, with the further names that Node.js has for its modules; the first of several comes first. */
export const EXTENSIONS = {
  '.py': 'python',
  '.js': 'node',
  '.mjs': 'node',
  '.cjs': 'node',
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.sh': 'bash',
  '.rb': 'ruby',
} as const satisfies Readonly<Record<string, Language>>;

/** The names that a main script has where nothing names it, after that of its directory (kaizen.md, “Metadata sidecar”). */
const PREFERRED = ['main', 'index', 'plugin'] as const;

/** A directory with one of these belongs to something larger, where a script is most likely only a tool. */
const PROJECT_MARKS = ['package.json', 'pyproject.toml', 'Gemfile', '.git'] as const;

/** Manifests of other systems and tools: what lies beside them is theirs. */
const FOREIGN_MANIFESTS = ['kaged-plugin.yaml', 'manifest.yaml', 'manifest.json', 'agent_plugin.json', 'init.lua'] as const;

/** The language that a file’s name says, undefined where it says none; declarations of types are no scripts. */
export function languageOf(name: string): Language | undefined {
  if (/\.d\.m?ts$/.test(name)) return undefined;
  const extension = extname(name);
  return Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension as keyof typeof EXTENSIONS] : undefined;
}

/** The scripts in a directory, of one language where it is given, the one to run first. */
export interface FoundScripts {
  /** The one to run; absent where there is none, or none of several has a name that says so. */
  readonly main?: string;
  /** Its name says that it is the one. */
  readonly isNamed: boolean;
  readonly count: number;
}

/** The script to run where a manifest names none: the only one, or one by its name. */
export function findScript({ directory, names }: PluginDirectory, language?: Language): FoundScripts {
  const scripts = names.filter((name) => {
    const found = name.startsWith('.') ? undefined : languageOf(name);
    return found !== undefined && (language === undefined || found === language);
  });
  const count = scripts.length;
  for (const stem of [basename(directory), ...PREFERRED]) {
    const main = Object.keys(EXTENSIONS)
      .map((extension) => stem + extension)
      .find((name) => scripts.includes(name));
    if (main !== undefined) return { main, isNamed: true, count };
  }
  const [only] = scripts;
  return only !== undefined && count === 1 ? { main: only, isNamed: false, count } : { isNamed: false, count };
}

/** The script that makes a plugin of a directory without a manifest, or why it is none, where it holds scripts at all. */
export function findLoneScript(directory: PluginDirectory): { readonly main: string } | { readonly reason?: string } {
  const foreign = FOREIGN_MANIFESTS.find((name) => directory.names.includes(name));
  if (foreign !== undefined) return {};
  const { main, isNamed, count } = findScript(directory);
  if (count === 0) return {};
  const mark = PROJECT_MARKS.find((name) => directory.names.includes(name));
  if (main !== undefined && (mark === undefined || isNamed)) return { main };
  const wanted = `wanted a manifest, or a script called ${[basename(directory.directory), ...PREFERRED].map((stem) => `${stem}.*`).join(', ')}`;
  if (mark !== undefined) return { reason: `it is a project (${mark}) and no script in it is a plugin by its name: ${wanted}` };
  return { reason: `it holds ${count} scripts and none is a plugin by its name: ${wanted}` };
}
