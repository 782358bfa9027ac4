import { createHash } from 'node:crypto';

/** Clients cut longer names or drop the tool (mcp.md §6). */
export const MAX_TOOL_NAME_LENGTH = 64;
const HASH_LENGTH = 6;

/** What a tool is named after. */
export interface ToolIdentity {
  readonly plugin: string;
  readonly command: string;
}

/**
 * `plugin_<name>_<command>` in the characters that every client takes, at most 64 of them; longer ones are cut and end
 * in a hash of the original. Not reversible: tools are found by map (DESIGN.md, “tool names”).
 */
export function formToolName(identity: ToolIdentity): string {
  const name = `plugin_${clean(identity.plugin)}_${clean(identity.command)}`;
  return name.length <= MAX_TOOL_NAME_LENGTH ? name : withHash(name, identity);
}

/**
 * Names for a whole catalog: every tool whose plain name is shared by another gets its hash, so that no name depends on
 * the order in which plugins were found. Two commands with the same identity are one; give each identity once.
 */
export function nameTools<Item extends ToolIdentity>(identities: readonly Item[]): ReadonlyMap<Item, string> {
  const takers = new Map<string, number>();
  for (const identity of identities) {
    const plain = formToolName(identity);
    takers.set(plain, (takers.get(plain) ?? 0) + 1);
  }
  const names = new Map<Item, string>();
  for (const identity of identities) {
    const plain = formToolName(identity);
    names.set(identity, takers.get(plain) === 1 ? plain : withHash(plain, identity));
  }
  return names;
}

const clean = (text: string): string => text.replaceAll(/[^A-Za-z0-9_-]/g, '_');

function withHash(name: string, identity: ToolIdentity): string {
  // The lengths keep apart what a separator could join: "a_b" + "c" and "a" + "b_c".
  const original = `${identity.plugin.length}:${identity.plugin}${identity.command}`;
  const hash = createHash('sha256').update(original).digest('hex').slice(0, HASH_LENGTH);
  return `${name.slice(0, MAX_TOOL_NAME_LENGTH - HASH_LENGTH - 1)}_${hash}`;
}
