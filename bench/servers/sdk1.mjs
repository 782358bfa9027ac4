// The reference: a bare echo server on McpServer of the SDK 1.x, as its documentation has it. No plugins, no isolation, no audit.
// Usage: node sdk1.mjs [--tools N] [--http]    With --http it listens on a free port and prints {"url":…}.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { describeTool, inputShape, toolName } from './echo-tool.mjs';

const { values } = parseArgs({ options: { tools: { type: 'string', default: '1' }, http: { type: 'boolean', default: false } } });

if (values.http) await serveHttp();
else {
  const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js');
  await createEchoServer().connect(new StdioServerTransport());
}

function createEchoServer() {
  const server = new McpServer({ name: 'sdk1', version: '1' });
  for (let index = 0; index < Number(values.tools); index++) {
    server.registerTool(toolName(index), { description: describeTool(index), inputSchema: inputShape(z, index) }, async ({ text }) => ({
      content: [{ type: 'text', text }],
    }));
  }
  return server;
}

/** One transport per session, as in the SDK’s example. */
async function serveHttp() {
  const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js');
  const sessions = new Map();
  const openSession = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    await createEchoServer().connect(transport);
    return transport;
  };
  const http = createServer(async (request, response) => {
    const transport = sessions.get(request.headers['mcp-session-id']) ?? (await openSession());
    await transport.handleRequest(request, response);
  });
  http.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${http.address().port}/mcp` })}\n`));
}
