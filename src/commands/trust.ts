import { isForeign } from '../discover/origin.ts';
import type { Host } from '../host.ts';
import { EXIT } from './exit-codes.ts';
import { unknownPlugin } from './info.ts';
import { printable, writeJson, type Output } from './output.ts';

interface TrustOptions {
  readonly plugin: string;
  /** No longer trust it. */
  readonly revoke: boolean;
  readonly json: boolean;
  readonly output: Output;
}

/** `plugbridge trust PLUGIN`: lets a plugin that came with the workspace run, bound to its content as it is now. */
export function runTrust(host: Host, { plugin: name, revoke, json, output }: TrustOptions): Promise<number> {
  const entry = host.catalog.current().findPlugin(name);
  if (!entry?.plugin) throw unknownPlugin(host, name);
  const { directory, digest } = entry.plugin;
  if (revoke) host.trust.removeTrust(directory);
  else host.trust.addTrust(directory, digest);
  host.journal.event({ event: revoke ? 'trust-revoked' : 'trusted', plugin: name, detail: { directory, digest } });
  if (json) writeJson(output, { plugin: name, directory, digest, trusted: !revoke });
  else if (!isForeign(entry.origin)) output.write(`${printable(name)} lies in a directory of yours and needs no trust (${entry.origin})`);
  else output.write(`${revoke ? 'No longer trusted' : 'Trusted'}: ${printable(name)} in ${printable(directory)}\n${digest}`);
  return Promise.resolve(EXIT.ok);
}
