import { findOwnPaths } from '../config/paths.ts';
import { createLog } from '../log.ts';
import { runConnect } from './connect.ts';
import type { Scope } from './clients.ts';
import type { Output } from './output.ts';

interface ConnectVerbOptions {
  readonly client: string;
  readonly scope: Scope;
  readonly name: string;
  readonly http?: string;
  readonly print: boolean;
  readonly progressive: boolean;
  readonly plugins: readonly string[];
  readonly root?: string;
  readonly config?: string;
  readonly policy?: string;
  readonly json: boolean;
  readonly output: Output;
}

/** `connect` from its flags: a server that the client starts, or one that runs, whose token is then entered too. */
export async function runConnectVerb({
  http,
  plugins,
  root,
  config,
  policy,
  progressive,
  ...options
}: ConnectVerbOptions): Promise<number> {
  const { loadToken } = await import('../server/token.ts');
  const running =
    http === undefined ? undefined : { url: http, token: (await loadToken(findOwnPaths(process.env).state, createLog())).token };
  return runConnect({ ...options, http: running, serve: { plugins, root, config, policy, progressive }, workingDirectory: process.cwd() });
}
