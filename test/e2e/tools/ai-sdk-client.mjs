// A client that is not built on the official SDK. Usage: node ai-sdk-client.mjs TARGET CALLS, both JSON; prints what it saw as JSON.
import { createMCPClient } from '@ai-sdk/mcp';
import { Experimental_StdioMCPTransport as StdioTransport } from '@ai-sdk/mcp/mcp-stdio';

const target = JSON.parse(process.argv[2] ?? '{}');
const calls = JSON.parse(process.argv[3] ?? '[]');
const transport =
  target.kind === 'stdio'
    ? new StdioTransport({ command: target.command, args: target.args })
    : { type: 'http', url: target.url, headers: { Authorization: `Bearer ${target.token}` } };
const client = await createMCPClient({ transport });
const tools = await client.tools();
const results = [];
for (const { name, args } of calls) results.push(await tools[name].execute(args, { toolCallId: name, messages: [] }));
await client.close();
process.stdout.write(JSON.stringify({ server: client.serverInfo, tools: Object.keys(tools), results }));
