import { join } from 'node:path';

import type { Language } from '../../../manifest/plugin.ts';

/** The programs that run scripts; each can be named in the configuration, `scripts.interpreters`. */
export const INTERPRETERS = ['python', 'node', 'bash', 'ruby'] as const;
export type InterpreterName = (typeof INTERPRETERS)[number];

/** Where a script’s pieces lie. Absolute, and the same inside the sandbox as outside. */
export interface ScriptPlace {
  readonly loaderFile: string;
  /** Where installed packages are; it may not exist. */
  readonly dependencyDirectory: string;
}

/** What is particular to a language. */
export interface LanguageEntry {
  readonly interpreter: InterpreterName;
  /** Our part of the interpreter’s start, in `loaders/`: it waits for the call’s header, then lets the script run. */
  readonly loader: string;
  /** The words after the interpreter: its options, the loader where it is not in the environment, the script. */
  readonly words: (place: ScriptPlace, mainFile: string) => readonly string[];
  /** Variables that the loader or the interpreter’s package manager wants, beside the plugin’s own. */
  readonly environment: (place: ScriptPlace) => Readonly<Record<string, string>>;
  /** Where packages are installed, relative to the plugin directory. */
  readonly dependencyDirectory: string;
  /** How much more than the plugin’s memory the data segment may have: what the interpreter maps and hardly touches. */
  readonly dataHeadroomBytes: number;
  /** File extensions of scripts in this language, the usual one first. */
  readonly extensions: readonly string[];
}

const MIB = 1024 * 1024;

/**
 * Isolated, without `site`, in UTF-8 and without writing bytecode: half of a usual start, and nothing of the person’s own
 * packages. The loader brings back what scripts expect of `site`.
 */
const PYTHON_FLAGS = ['-I', '-S', '-B', '-X', 'utf8'];

const node = {
  interpreter: 'node',
  loader: 'node.cjs',
  environment: ({ dependencyDirectory }) => ({ NODE_PATH: dependencyDirectory }),
  dependencyDirectory: 'node_modules',
  // V8 maps its code range and young generation up front (sandbox.md §B, “Limits”).
  dataHeadroomBytes: 1024 * MIB,
} as const satisfies Omit<LanguageEntry, 'words' | 'extensions'>;

/** All languages; nothing else in the executor knows how one differs from the next. */
export const LANGUAGE_TABLE = {
  python: {
    interpreter: 'python',
    loader: 'python.py',
    words: ({ loaderFile, dependencyDirectory }, mainFile) => [...PYTHON_FLAGS, loaderFile, mainFile, dependencyDirectory],
    // For Python processes that the script starts; its own ignores them.
    environment: ({ dependencyDirectory }) => ({ PYTHONPATH: dependencyDirectory, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' }),
    dependencyDirectory: '.dependencies/python',
    dataHeadroomBytes: 256 * MIB,
    extensions: ['.py'],
  },
  node: {
    ...node,
    words: ({ loaderFile }, mainFile) => ['--require', loaderFile, mainFile],
    extensions: ['.js', '.mjs', '.cjs'],
  },
  typescript: {
    ...node,
    // Errors name the lines of the source, as with `tsx`.
    words: ({ loaderFile }, mainFile) => ['--enable-source-maps', '--require', loaderFile, mainFile],
    extensions: ['.ts', '.mts', '.cts'],
  },
  bash: {
    interpreter: 'bash',
    loader: 'bash.sh',
    // Bash reads the file that BASH_ENV names before the script (bash(1)), so that the script itself is run as always.
    words: (_place, mainFile) => [mainFile],
    environment: ({ loaderFile }) => ({ BASH_ENV: loaderFile }),
    dependencyDirectory: '.dependencies/bash',
    dataHeadroomBytes: 64 * MIB,
    extensions: ['.sh', '.bash'],
  },
  ruby: {
    interpreter: 'ruby',
    loader: 'ruby.rb',
    words: ({ loaderFile }, mainFile) => ['-r', loaderFile, mainFile],
    environment: ({ dependencyDirectory }) => ({ GEM_HOME: dependencyDirectory }),
    dependencyDirectory: '.dependencies/ruby',
    dataHeadroomBytes: 256 * MIB,
    extensions: ['.rb'],
  },
} as const satisfies Record<Language, LanguageEntry>;

export interface LoaderRequest {
  readonly language: Language;
  /** Absolute path of the interpreter, as `createInterpreters` found it. */
  readonly program: string;
  /** Where our loaders are, absolute. */
  readonly loadersDirectory: string;
  readonly pluginDirectory: string;
  /** The script, absolute; for TypeScript the module that was made of it. */
  readonly mainFile: string;
}

/** The command that starts a script’s interpreter with its loader, and the variables that belong to it. */
export function toLoaderCommand({ language, program, loadersDirectory, pluginDirectory, mainFile }: LoaderRequest) {
  const entry: LanguageEntry = LANGUAGE_TABLE[language];
  const place = {
    loaderFile: join(loadersDirectory, entry.loader),
    dependencyDirectory: join(pluginDirectory, entry.dependencyDirectory),
  };
  return { command: [program, ...entry.words(place, mainFile)], environment: entry.environment(place) };
}
