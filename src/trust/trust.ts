import { join } from 'node:path';

import { z } from 'zod';

import { createJsonStore } from './json-store.ts';

/** Something that a workspace brings along and a person trusted: a plugin’s directory, or the root for its configuration. */
const TrustedSchema = z.strictObject({
  directory: z.string().min(1).max(4096).describe('absolute, canonical'),
  digest: z.string().min(1).max(200).describe('of the content that was trusted'),
  trustedAt: z.iso.datetime(),
});
export type Trusted = z.infer<typeof TrustedSchema>;

const TrustFileSchema = z.strictObject({ version: z.literal(1), trusted: z.array(TrustedSchema).max(10_000) });

/** Where something came from, as far as trust cares: only what a workspace brings along or a client wrote has to be trusted by hand. */
export interface TrustQuestion {
  readonly origin: 'flag' | 'config' | 'user' | 'workspace' | 'proposed' | 'installed';
  /** Its name, for the message. */
  readonly plugin: string;
  readonly directory: string;
  readonly digest: string;
}

/** `changed`: a person trusted another content of this directory. `reason` is a sentence. */
export type TrustAnswer = { readonly trusted: true } | { readonly trusted: false; readonly changed: boolean; readonly reason: string };

/** What a person trusts: `trust.json` in the state directory, mode 0600. */
export interface TrustStore {
  isTrusted(question: TrustQuestion): TrustAnswer;
  /** Trusts the present content of a directory, instead of any it had before. */
  addTrust(directory: string, digest: string): void;
  /** Returns whether the directory was trusted. */
  removeTrust(directory: string): boolean;
  readTrust(): readonly Trusted[];
}

export interface TrustStoreOptions {
  /** Absolute. */
  readonly stateDirectory: string;
  /** The clock; the system’s unless given. */
  readonly now?: () => Date;
}

/**
 * Opens the store of trust. All methods throw HostError TRUST_STORE_INVALID when the file cannot be used, and those that
 * write TRUST_STORE_BUSY when another process keeps its lock.
 */
export function createTrustStore({ stateDirectory, now = () => new Date() }: TrustStoreOptions): TrustStore {
  const store = createJsonStore({
    file: join(stateDirectory, 'trust.json'),
    schema: TrustFileSchema,
    empty: { version: 1 as const, trusted: [] },
    invalid: 'TRUST_STORE_INVALID',
  });
  return {
    isTrusted: (question) => {
      if (question.origin !== 'workspace' && question.origin !== 'proposed') return { trusted: true };
      return judge(store.read().trusted, question);
    },
    addTrust: (directory, digest) => {
      store.update((content) => {
        const added = TrustedSchema.parse({ directory, digest, trustedAt: now().toISOString() });
        return { ...content, trusted: [...content.trusted.filter((one) => one.directory !== directory), added] };
      });
    },
    removeTrust: (directory) => {
      let wasTrusted = false;
      store.update((content) => {
        wasTrusted = content.trusted.some((one) => one.directory === directory);
        return { ...content, trusted: content.trusted.filter((one) => one.directory !== directory) };
      });
      return wasTrusted;
    },
    readTrust: () => store.read().trusted,
  };
}

function judge(trusted: readonly Trusted[], { origin, plugin, directory, digest }: TrustQuestion): TrustAnswer {
  const found = trusted.find((one) => one.directory === directory);
  if (found === undefined) {
    return {
      trusted: false,
      changed: false,
      reason: `${origin === 'proposed' ? 'A client wrote and proposed it' : 'It came with the workspace'}; look at "${directory}", then run: plugbridge trust ${plugin}`,
    };
  }
  if (found.digest === digest) return { trusted: true };
  return {
    trusted: false,
    changed: true,
    reason: `Its files changed since it was trusted; look at "${directory}", then run: plugbridge trust ${plugin}`,
  };
}
