// The reference for scripts: what people write by hand. A line of JSON in, one process of an interpreter for it, a line out;
// no sandbox, no permissions, no record. Usage: node spawn.mjs [--bwrap] -- INTERPRETER SCRIPT
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { describeTool } from './echo-tool.mjs';

const { values, positionals } = parseArgs({ options: { bwrap: { type: 'boolean', default: false } }, allowPositionals: true });

/** A sandbox as one types it: no network, no capabilities, the system and the script read-only. No limits, no filter. */
const BWRAP = ['bwrap', '--unshare-all', '--die-with-parent', '--cap-drop', 'ALL', '--ro-bind', '/usr', '/usr'];
const LINKS = ['bin', 'lib', 'lib64', 'sbin'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
const [interpreter, script] = positionals;
const [program, ...args] = values.bwrap
  ? [...BWRAP, ...LINKS, '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--ro-bind', script, script, '--', interpreter, script]
  : [interpreter, script];

const ANSWERS = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'spawn', version: '1' },
  }),
  'tools/list': () => ({
    tools: [{ name: 'echo', description: describeTool(0), inputSchema: { type: 'object', properties: { text: { type: 'string' } } } }],
  }),
  'tools/call': async (params) => {
    const { stdout } = await execa(program, args, { input: JSON.stringify(params.arguments) });
    return { content: [{ type: 'text', text: stdout }] };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id !== undefined) void answer(id, method, params);
}

async function answer(id, method, params) {
  const result = await ANSWERS[method](params);
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
}
