// The reference: a bare echo server on McpServer of SDK 1.x, with TOOLS tools, over stdio or on PORT over HTTP.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

import { describe, shapeOf, toolName } from './tools.mjs';

function createEchoServer() {
  const server = new McpServer({ name: 'reference', version: '1' });
  for (let index = 0; index < Number(process.env.TOOLS ?? 1); index++) {
    server.registerTool(toolName(index), { description: describe(index), inputSchema: shapeOf(z, index) }, async ({ text }) => ({ content: [{ type: 'text', text }] }));
  }
  return server;
}

if (process.env.PORT) {
  const sessions = new Map();
  createServer(async (request, response) => {
    let transport = sessions.get(request.headers['mcp-session-id']);
    if (!transport) {
      transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID(), onsessioninitialized: (id) => sessions.set(id, transport) });
      await createEchoServer().connect(transport);
    }
    await transport.handleRequest(request, response);
  }).listen(Number(process.env.PORT), '127.0.0.1');
  process.once('SIGTERM', () => process.exit(0));
} else await createEchoServer().connect(new StdioServerTransport());
