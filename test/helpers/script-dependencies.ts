import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  createDependencyInstaller,
  type InstallerOptions,
  type InstallRequest,
  type InstallResult,
} from '../../src/executors/script/dependencies/install-dependencies.ts';
import { createInterpreters } from '../../src/executors/script/languages/interpreters.ts';
import { LANGUAGE_TABLE, toLoaderCommand } from '../../src/executors/script/languages/languages.ts';
import type { Language, ScriptRuntime } from '../../src/manifest/plugin.ts';
import { classifyAddress } from '../../src/policy/addresses.ts';
import { writeFiles, type Files } from './package-registries.ts';
import { collect, describeSandbox, useSandbox } from './sandbox.ts';
import { useTmp } from './tmp.ts';

export const LOADERS = fileURLToPath(new URL('../../src/executors/script/loaders', import.meta.url));
const NONCE = '0123456789abcdef0123456789abcdef';

export interface TestPlugin {
  readonly directory: string;
  readonly runtime: ScriptRuntime;
}

const MAINS: Readonly<Record<Language, string>> = {
  python: 'main.py',
  node: 'main.mjs',
  typescript: 'main.ts',
  bash: 'main.sh',
  ruby: 'main.rb',
};

/** A script plugin as the manifest readers describe it, with the files given. */
export function usePlugin(language: Language, files: Files, dependencies: readonly string[] = []): TestPlugin {
  const directory = join(useTmp(), 'plugin');
  mkdirSync(directory);
  writeFiles(directory, files);
  const runtime: ScriptRuntime = {
    kind: 'script',
    language,
    main: MAINS[language],
    input: 'stdin',
    variables: {},
    dependencies: [...dependencies],
  };
  return { directory, runtime };
}

export interface Installation {
  readonly result: InstallResult;
  readonly lines: readonly string[];
}

/** An installer with a sandbox of its own; `install` has defaults for what a test is not about. */
export function useInstaller(over: Partial<InstallerOptions> & Pick<InstallerOptions, 'registries'>) {
  const sandbox = over.sandbox ?? useSandbox();
  const installer = createDependencyInstaller({
    sandbox,
    interpreters: createInterpreters({ configured: {} }),
    loadersDirectory: LOADERS,
    reachOf: (address) => (classifyAddress(address) === 'public' ? 'public' : 'closed'),
    ...over,
  });
  return {
    installer,
    async install(plugin: TestPlugin, request: Partial<InstallRequest> = {}): Promise<Installation> {
      const lines: string[] = [];
      const onLine = (line: string): void => void lines.push(line);
      const signal = new AbortController().signal;
      return { result: await installer.install({ plugin, allowScripts: false, signal, onLine, ...request }), lines };
    },
    /** Runs the plugin’s main script as a call does: in the sandbox, with its packages, read-only. */
    async run({ directory, runtime }: TestPlugin) {
      const { language, main } = runtime;
      const found = createInterpreters({ configured: {} }).find(language);
      if (!found.ok) throw new Error(found.reason);
      const { command, environment } = toLoaderCommand({
        language,
        program: found.program,
        loadersDirectory: LOADERS,
        pluginDirectory: directory,
        mainFile: join(directory, main),
      });
      const loader = join(LOADERS, LANGUAGE_TABLE[language].loader);
      const started = await sandbox.spawn(
        describeSandbox(command, {
          mounts: [...found.mounts, ...[directory, loader].map((path) => ({ source: path, target: path, access: 'read' as const }))],
          environment: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/tmp', ...environment },
          limits: { processes: 64, memoryBytes: 512 * 1024 * 1024, descriptors: 256 },
        }),
      );
      const { stdout, stderr } = await collect(started, `${NONCE} 0\n`);
      const [said = ''] = stdout.split('\0');
      return { stdout: said.trim(), stderr: stderr.split('\0')[0] ?? '' };
    },
  };
}
