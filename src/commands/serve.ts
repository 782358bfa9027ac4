import { userInfo } from 'node:os';
import { join } from 'node:path';

import type { Authoring } from '../authoring/authoring.ts';
import { PROPOSALS } from '../discover/directories.ts';
import { createApprovalDesk } from '../dispatch/approval.ts';
import { createHost, type Host, type HostOptions } from '../host.ts';
import { loadToken } from '../server/token.ts';
import { createMcpServers } from '../server/server.ts';
import { VERSION } from '../version.ts';
import { formatSnippet } from './clients.ts';
import { EXIT } from './exit-codes.ts';
import type { Output } from './output.ts';

export interface ServeOptions {
  readonly host: HostOptions;
  /** `[HOST:]PORT`; stdio when absent. */
  readonly http?: string;
  readonly auth: boolean;
  readonly progressive: boolean;
  /** Whether clients may draft, try and propose plugins. */
  readonly authoring: boolean;
  readonly json: boolean;
  readonly output: Output;
}

/** `plugbridge serve`: runs until the client hangs up or a signal comes. */
export async function runServe(options: ServeOptions): Promise<number> {
  const host = createHost(options.host);
  const stop = waitForSignal();
  try {
    const servers = createMcpServers({
      catalog: host.catalog,
      dispatch: host.dispatch,
      artifacts: host.artifactReader,
      version: VERSION,
      connection: { transport: options.http === undefined ? 'stdio' : 'http', principal: userInfo().username },
      progressive: options.progressive || host.config.progressive,
      ...(options.authoring ? { authoring: await openAuthoring(host) } : {}),
      log: host.log,
    });
    host.keepCurrent();
    if (options.http === undefined) {
      const { serveMcpStdio } = await import('../server/stdio.ts');
      const connection = serveMcpStdio(servers, { input: process.stdin, output: process.stdout, log: host.log });
      await Promise.race([connection.closed, stop]);
      await connection.close();
    } else {
      const { parseListenAddress } = await import('../server/http-address.ts');
      const { serveMcpHttp } = await import('../server/http.ts');
      const address = parseListenAddress(options.http);
      const token = options.auth ? (await loadToken(host.own.state, host.log)).token : undefined;
      const { session_idle_minutes: idleMinutes, max_sessions: maxSessions, allowed_hosts: allowedHosts } = host.config.http;
      const limits = { sessionIdleMs: idleMinutes * 60_000, maxSessions };
      const endpoint = await serveMcpHttp(servers, { address, token, allowedHosts, limits, log: host.log });
      announce(options, {
        url: endpoint.url,
        token,
        plugins: host.catalog.current().entries.length,
        tools: host.catalog.current().tools.length,
      });
      await stop;
      await endpoint.close();
    }
    servers.close();
  } finally {
    await host.close();
  }
  return EXIT.ok;
}

/** What `--authoring` adds to a server. */
export async function openAuthoring(host: Host): Promise<Authoring> {
  const { createAuthoring } = await import('../authoring/authoring.ts');
  return createAuthoring({
    ...host,
    drafts: join(host.own.state, 'drafts'),
    proposals: join(host.own.data, PROPOSALS),
    approvals: createApprovalDesk(Date.now),
    now: Date.now,
  });
}

/** Where the server is and how a client gets in, for people; or as one line of JSON for programs. */
function announce({ output, json }: ServeOptions, at: { url: string; token: string | undefined; plugins: number; tools: number }): void {
  if (json) {
    output.write(JSON.stringify(at));
    return;
  }
  const snippet = formatSnippet('claude-code', 'plugins', { transport: 'http', url: at.url, token: at.token ?? '' });
  output.write(
    [
      `plugbridge ${VERSION}: ${at.tools} tools of ${at.plugins} plugins`,
      '',
      `Address  ${at.url}`,
      `Token    ${at.token ?? 'none wanted (--no-auth)'}`,
      '',
      'mcp.json for Claude Code and Cursor:',
      at.token === undefined ? snippet.replace(/,\s*"headers": \{[^}]*\}/, '') : snippet,
      '',
      'Ctrl-C stops the server.',
    ].join('\n'),
  );
}

function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
