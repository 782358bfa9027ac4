import type { Language } from '../../manifest/plugin.ts';
import type { Sandbox, SandboxDescription } from '../sandbox/sandbox.ts';
import { routeThroughRelay } from './describe-process.ts';
import type { FoundInterpreter } from './languages/interpreters.ts';
import { createScriptProcess, type ProcessEgress, type ScriptProcess } from './script-process.ts';

/** A proxy of one process, listening on a unix socket. */
export interface SocketEgress extends ProcessEgress {
  readonly socketFile: string;
}

export interface LaunchOptions {
  readonly sandbox: Sandbox;
  readonly loadersDirectory: string;
  readonly createEgress: () => Promise<SocketEgress>;
}

export interface Launch {
  readonly description: SandboxDescription;
  readonly lifetimeSeconds: number;
  /** What the relay to the granted hosts runs on; absent where there is no network to be had. */
  readonly relay?: { readonly language: Language; readonly node: Extract<FoundInterpreter, { ok: true }> };
}

/** Starts an interpreter that waits for its call, and its way to the network before it. Throws HostError. */
export async function launchScript(
  { description, lifetimeSeconds, relay }: Launch,
  { sandbox, loadersDirectory, createEgress }: LaunchOptions,
): Promise<ScriptProcess> {
  if (!relay) return createScriptProcess(await sandbox.spawn({ ...description, lifetimeSeconds }));
  const egress = await createEgress();
  try {
    const { language, node } = relay;
    const routed = routeThroughRelay(description, { ...node, language, loadersDirectory, socketFile: egress.socketFile });
    return createScriptProcess(await sandbox.spawn({ ...routed, lifetimeSeconds }), egress);
  } catch (error) {
    await egress.close();
    throw error;
  }
}
