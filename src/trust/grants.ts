import { join } from 'node:path';

import { z } from 'zod';

import { createJsonStore } from './json-store.ts';

const CapabilityTextSchema = z
  .string()
  .min(1)
  .max(1100)
  .regex(/^\P{Cc}+$/u, 'wanted is text without control characters');

/** What a person granted to one content of a plugin; capability strings as `policy/capability.ts` reads them. */
export const GrantSchema = z.strictObject({
  plugin: z.string().min(1).max(200).describe('the plugin’s id'),
  digest: z.string().min(1).max(200).describe('what the grant is bound to: the plugin’s digest, or its lock entry’s checksum'),
  capabilities: z.array(CapabilityTextSchema).max(1000),
  grantedAt: z.iso.datetime().describe('when it last grew'),
});
export type Grant = z.infer<typeof GrantSchema>;

const GrantsFileSchema = z.strictObject({ version: z.literal(1), grants: z.array(GrantSchema).max(10_000) });

/** A plugin as grants know it: a changed digest is another plugin. */
export interface GrantHolder {
  readonly plugin: string;
  readonly digest: string;
}

export interface HeldGrants {
  readonly capabilities: readonly string[];
  /** Granted to an earlier content of the plugin and lost with it; for telling the person. */
  readonly earlier: readonly string[];
}

/** The stored grants of a person: `grants.json` in the state directory, mode 0600. */
export interface GrantStore {
  readGrants(): readonly Grant[];
  /** Adds to what the plugin holds; also what `always` in an approval does. */
  addGrant(holder: GrantHolder, capabilities: readonly string[]): Grant;
  /** Removes capabilities, or all of them when none are named, from every content of a plugin; returns what was removed. */
  removeGrant(plugin: string, capabilities?: readonly string[]): readonly string[];
  /** What a plugin holds now. Quick: looks at the file’s stamp and reads it only when it changed. */
  grantsFor(holder: GrantHolder): HeldGrants;
  /** Grows whenever an answer of the others could differ from before. */
  version(): number;
}

export interface GrantStoreOptions {
  /** Absolute. */
  readonly stateDirectory: string;
  /** The clock; the system’s unless given. */
  readonly now?: () => Date;
}

/**
 * Opens the store of grants. All methods throw HostError TRUST_GRANTS_INVALID when the file cannot be used, and those that
 * write TRUST_STORE_BUSY when another process keeps its lock.
 */
export function createGrantStore({ stateDirectory, now = () => new Date() }: GrantStoreOptions): GrantStore {
  const store = createJsonStore({
    file: join(stateDirectory, 'grants.json'),
    schema: GrantsFileSchema,
    empty: { version: 1 as const, grants: [] },
    invalid: 'TRUST_GRANTS_INVALID',
  });
  return {
    readGrants: () => store.read().grants,
    version: () => store.version(),
    addGrant: (holder, capabilities) => {
      const isHolder = (grant: Grant): boolean => grant.plugin === holder.plugin && grant.digest === holder.digest;
      let added: Grant = { ...holder, capabilities: [], grantedAt: now().toISOString() };
      store.update((content) => {
        const before = content.grants.find(isHolder)?.capabilities ?? [];
        added = GrantSchema.parse({
          plugin: holder.plugin,
          digest: holder.digest,
          capabilities: [...new Set([...before, ...capabilities])],
          grantedAt: now().toISOString(),
        });
        return { ...content, grants: [...content.grants.filter((grant) => !isHolder(grant)), added] };
      });
      return added;
    },
    removeGrant: (plugin, capabilities) => {
      const removed = new Set<string>();
      store.update((content) => ({
        ...content,
        grants: content.grants.flatMap((grant) => {
          if (grant.plugin !== plugin) return [grant];
          const kept = grant.capabilities.filter((capability) => capabilities !== undefined && !capabilities.includes(capability));
          for (const capability of grant.capabilities) if (!kept.includes(capability)) removed.add(capability);
          return kept.length === 0 ? [] : [{ ...grant, capabilities: kept }];
        }),
      }));
      return [...removed];
    },
    grantsFor: (holder) => {
      const ofPlugin = store.read().grants.filter((grant) => grant.plugin === holder.plugin);
      const capabilities = ofPlugin.find((grant) => grant.digest === holder.digest)?.capabilities ?? [];
      const others = ofPlugin.filter((grant) => grant.digest !== holder.digest).flatMap((grant) => grant.capabilities);
      return { capabilities, earlier: [...new Set(others)].filter((capability) => !capabilities.includes(capability)) };
    },
  };
}
