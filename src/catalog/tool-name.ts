import { createHash } from 'node:crypto';

/** Clients cut longer names or drop the tool (mcp.md §6). */
export const MAX_TOOL_NAME_LENGTH = 64;
/** Names that clash get a longer hash; the last length leaves nothing of the name but its prefix. */
const HASH_LENGTHS = [6, 16, 40, 56] as const;

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
  return name.length <= MAX_TOOL_NAME_LENGTH ? name : withHash(identity, HASH_LENGTHS[0]);
}

/**
 * Names for a whole catalog: every tool whose plain name is shared by another gets its hash, so that no name depends on
 * the order in which plugins were found. Where a name was made to look like another’s hashed one, all that share it get
 * longer hashes, so that no plugin can take a name of another. Two commands with the same identity are one and share
 * their name.
 */
export function nameTools<Item extends ToolIdentity>(identities: readonly Item[]): ReadonlyMap<Item, string> {
  const names = new Map(identities.map((identity) => [identity, formToolName(identity)]));
  for (const length of HASH_LENGTHS) {
    const takers = new Map<string, Set<string>>();
    for (const [identity, name] of names) takers.set(name, (takers.get(name) ?? new Set()).add(originalOf(identity)));
    for (const [identity, name] of names) if ((takers.get(name)?.size ?? 0) > 1) names.set(identity, withHash(identity, length));
  }
  return names;
}

const clean = (text: string): string => text.replaceAll(/[^A-Za-z0-9_-]/g, '_');

/** The length keeps apart what a separator could join: "a_b" + "c" and "a" + "b_c". */
const originalOf = ({ plugin, command }: ToolIdentity): string => `${plugin.length}:${plugin}${command}`;

function withHash(identity: ToolIdentity, length: (typeof HASH_LENGTHS)[number]): string {
  const name = `plugin_${clean(identity.plugin)}_${clean(identity.command)}`;
  const hash = createHash('sha256').update(originalOf(identity)).digest('hex').slice(0, length);
  return `${name.slice(0, MAX_TOOL_NAME_LENGTH - length - 1)}_${hash}`;
}
