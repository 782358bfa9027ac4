/** Whether a path is about to be read or changed. */
export type Access = 'read' | 'write';

/**
 * Names that no plugin touches, whatever was granted: keys, tokens, and what decides over plugins
 * (seed 003 “Path validation”, agentzero.md §2 PathValidator; the rest are the same kind of file).
 * A name holds for whole consecutive path segments, never for parts of one, so that `.environment.md` is fine.
 */
const NEVER: readonly string[] = [
  '.ssh',
  '.gnupg',
  '.aws/credentials',
  '.aws/config',
  '.aws/sso',
  '.azure',
  '.config/gcloud',
  '.config/gh',
  '.docker/config.json',
  '.kube/config',
  '.env',
  '.envrc',
  '.npmrc',
  '.yarnrc.yml',
  '.netrc',
  '_netrc',
  '.pypirc',
  '.pgpass',
  '.my.cnf',
  '.git-credentials',
  '.vault-token',
  'id_rsa',
  'id_dsa',
  'id_ecdsa',
  'id_ecdsa_sk',
  'id_ed25519',
  'id_ed25519_sk',
  '.agentzero/policy.yml',
  '.plugbridge',
];

/**
 * Names that may be read but never changed, for changing them makes other programs run something:
 * git’s hooks and configuration, plugins, shells, editors and MCP clients.
 */
const NEVER_WRITTEN: readonly string[] = [
  '.git',
  '.gitconfig',
  '.gitmodules',
  '.husky',
  '.agentzero/plugins',
  '.bashrc',
  '.bash_profile',
  '.bash_logout',
  '.profile',
  '.zshrc',
  '.zshenv',
  '.zprofile',
  '.ripgreprc',
  '.mcp.json',
  '.vscode',
  '.idea',
  '.zed',
  '.cursor',
  '.claude',
];

/** The names by their first segment, so that a harmless path costs one look-up per segment. */
function byFirstSegment(names: readonly string[]): ReadonlyMap<string, readonly (readonly string[])[]> {
  const groups = new Map<string, (readonly string[])[]>();
  for (const name of names) {
    const sequence = name.split('/');
    const first = sequence[0] ?? '';
    groups.set(first, [...(groups.get(first) ?? []), sequence]);
  }
  return groups;
}

const READ_NAMES = byFirstSegment(NEVER);
const WRITE_NAMES = byFirstSegment([...NEVER, ...NEVER_WRITTEN]);

/**
 * The name that makes a path untouchable, or undefined. `segments` are relative to the directory that access is anchored
 * to, so that a root which itself lies beneath `.env` stays usable. Upper and lower case are the same, as they are on macOS.
 */
export function findSensitiveName(segments: readonly string[], access: Access): string | undefined {
  const names = access === 'write' ? WRITE_NAMES : READ_NAMES;
  const folded = segments.map(foldSegment);
  for (const [index, segment] of folded.entries()) {
    if (segment.startsWith('.env.')) return '.env.*';
    const found = names.get(segment)?.find((sequence) => sequence.every((part, offset) => folded[index + offset] === part));
    if (found !== undefined) return found.join('/');
  }
  return undefined;
}

/** The spelling under which file systems that fold case, compatibility forms or invisible characters would find it. */
function foldSegment(segment: string): string {
  if (/^[\x20-\x7e]*$/.test(segment)) return segment.toLowerCase().replace(/[. ]+$/, '');
  return segment
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .replace(/[. ]+$/, '');
}

/** What a sandbox that mounts the root should hide or exclude: the names of `findSensitiveName` for reading, as globs relative to any directory. */
export const SENSITIVE_GLOBS: readonly string[] = [...NEVER, '.env.*'];
