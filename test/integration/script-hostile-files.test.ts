import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

import { SECRET, SHOWN_IN_TMP } from '../helpers/hostile-place.ts';
import { describeHostile, type HostileRow } from '../helpers/hostile-rows.ts';

const OUTSIDE = ['/', '/usr', '/usr/lib', '/usr/local/bin', '/etc', '/var', '/var/tmp', '/home', '/run', '/dev', '/proc', '/sys'];
const SENSITIVE = ['.env', '.env.local', '.ssh/id_rsa', 'deep/er/id_ed25519', 'deep/er/.npmrc'];
const ALLOWED_VARIABLES =
  /^(?:HOME|LANG|LC_CTYPE|PATH|PWD|OLDPWD|SHLVL|_|TMPDIR|KAIZEN_\w+|PYTHON\w+|GEM_\w+|RUBY\w*|BUNDLE_\w+|NODE_PATH|__CF\w*)$/;

const readsSecrets = (plugin: HostileRow['plugin'], tries: string, paths: NonNullable<HostileRow['args']>): HostileRow => ({
  tries,
  of: [1, 10],
  plugin,
  case: 'read-secrets',
  args: paths,
  exit: /^exit 0$/,
  attempts: 2,
});

/** What the test runner itself was started with and would pass on; a server closes these first (sandbox-isolation.test.ts). */
const INHERITED = readdirSync('/proc/self/fd').filter((name) => Number(name) > 2 && !isClosedOnExec(name));

function isClosedOnExec(name: string): boolean {
  try {
    const [, flags = '0'] = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'utf8')) ?? [];
    return (Number.parseInt(flags, 8) & 0o2000000) !== 0;
  } catch {
    return true;
  }
}

const isWay = (path: string, place: string): boolean => place.startsWith(path) || path.endsWith('/own');

const ROWS: readonly HostileRow[] = [
  readsSecrets('python', 'python reads /etc/shadow and the host’s accounts', () => ({
    paths: ['/etc/shadow', '/etc/gshadow', '/etc/sudoers'],
  })),
  readsSecrets('python', 'python reads keys of SSH', ({ base }) => ({
    paths: [join(base, 'home/.ssh/id_ed25519'), '/root/.ssh/id_rsa', '/root/.ssh/authorized_keys', '/root/.bash_history'],
  })),
  readsSecrets(
    'python',
    'python reads another plugin’s data, the server’s state and the root without a grant',
    ({ secretFiles, root }) => ({
      paths: [...secretFiles, join(root, 'notes.txt')],
    }),
  ),
  readsSecrets('node', 'node reads secrets', ({ secretFiles }) => ({ paths: [...secretFiles, '/etc/shadow'] })),
  readsSecrets('ruby', 'ruby reads secrets', ({ secretFiles }) => ({ paths: [...secretFiles, '/etc/shadow'] })),
  {
    tries: 'bash reads secrets with the programs of the system',
    of: [1, 10, 11],
    plugin: 'bash',
    case: 'read-secrets',
    args: ({ secretFile }) => ({ secret: secretFile }),
    exit: /^exit 0$/,
  },
  {
    tries: 'python lists other plugins, the home directories and the server’s own directories',
    of: [4, 12],
    plugin: 'python',
    case: 'list-directories',
    reaches: 'some',
    args: ({ base, plugins }) => ({
      paths: [
        plugins,
        join(plugins, 'node'),
        base,
        join(base, 'own'),
        join(base, 'home'),
        '/root',
        '/home',
        '/var/log',
        '/boot',
        '/sys/kernel',
      ],
    }),
    exit: /^exit 0$/,
    holds: ({ structured }, { plugins }) => {
      // The way to its own directories is there, and nothing beside it.
      const seen = structured?.['seen'] as Record<string, string[]>;
      expect(seen[plugins]).toEqual(['python']);
      expect(Object.keys(seen).filter((path) => !isWay(path, plugins))).toEqual([]);
      expect(Object.values(seen).flat()).not.toContain('state');
    },
  },
  ...(['python', 'node', 'ruby'] as const).map((plugin): HostileRow => ({
    tries: `${plugin} looks for the server’s secrets in every environment`,
    of: [11, 14],
    plugin,
    case: 'read-environments',
    args: () => ({ secrets: [SECRET] }),
    exit: /^exit 0$/,
    holds: ({ structured }) => {
      const { hits, names } = structured as { hits: string[]; names: string[] };
      expect(hits).toEqual([]);
      expect(names.filter((name) => !ALLOWED_VARIABLES.test(name))).toEqual([]);
    },
  })),
  {
    tries: 'python looks for secrets in command lines',
    of: [11, 12],
    plugin: 'python',
    case: 'read-command-lines',
    args: () => ({ secrets: [SECRET] }),
    exit: /^exit 0$/,
    holds: ({ structured }) => {
      expect(structured?.['hits']).toEqual([]);
      expect(structured?.['processes']).toBeLessThanOrEqual(6);
    },
  },
  {
    tries: 'python lists the descriptors that it was born with',
    of: [13],
    plugin: 'python',
    case: 'list-descriptors',
    args: () => ({}),
    exit: /^exit 0$/,
    holds: ({ structured }) => {
      const found = Object.keys(structured?.['descriptors'] as object).filter((name) => !INHERITED.includes(name));
      expect(found.toSorted()).toEqual(['0', '1', '2']);
    },
  },
  {
    tries: 'python writes, truncates and removes outside of its own directories',
    of: [3, 17],
    plugin: 'python',
    case: 'write-outside',
    args: ({ base, root, plugins, secretFile }) => ({
      directories: [...OUTSIDE, root, base, plugins, join(plugins, 'python'), join(plugins, 'node'), join(base, 'outside')],
      files: [join(plugins, 'python/main.py'), join(plugins, 'python/PLUGIN.toml'), secretFile],
      system: ['/etc/passwd', '/etc/hosts', '/usr/bin/env', '/usr/bin/python3', '/usr/lib/locale'],
    }),
    exit: /^exit 0$/,
    attempts: 30,
  },
  ...(['node', 'ruby'] as const).map((plugin): HostileRow => ({
    tries: `${plugin} writes outside of its own directories`,
    of: [3, 17],
    plugin,
    case: 'write-outside',
    args: ({ base, root, plugins }) => ({ directories: [...OUTSIDE, root, base, join(plugins, plugin)] }),
    exit: /^exit 0$/,
    attempts: 14,
  })),
  { tries: 'bash writes outside of its own directories', of: [3, 17], plugin: 'bash', case: 'write-outside', exit: /^exit 0$/ },
  {
    tries: 'python breaks out through /proc: roots, working directories, descriptors, kernel files, devices',
    of: [12],
    plugin: 'python',
    case: 'break-out-through-proc',
    args: ({ secretFile }) => ({ secret: secretFile }),
    exit: /^exit 0$/,
    attempts: 15,
    holds: ({ structured }) => expect(structured?.['processes']).toBeLessThanOrEqual(6),
  },
  {
    tries: 'python abuses a root that it was granted: .env, keys, git hooks, links out of it',
    of: [5, 8, 10],
    plugin: 'python-root',
    case: 'abuse-granted-root',
    args: ({ root, secretFile }) => ({
      root,
      secrets: SENSITIVE,
      sealed: ['.git/config', '.git/hooks/pre-commit', '.mcp.json', '.vscode/tasks.json'],
      links: ['link.txt', 'linked/secret.txt', 'env-link'],
      outside: secretFile,
    }),
    exit: /^exit 0$/,
    attempts: 25,
    holds: ({ structured }) => expect(structured?.['notes']).toBe('notes'),
  },
  {
    tries: 'python leaves modules and start files where a later call could load them',
    of: [17],
    plugin: 'python',
    case: 'poison-next-call',
    exit: /^exit 0$/,
  },
  {
    tries: 'python writes modules beside itself and into its search path',
    of: [3],
    plugin: 'python',
    case: 'write-to-parents',
    exit: /^exit 0$/,
    holds: ({ structured }) => expect(structured?.['written']).toEqual([]),
  },
  {
    tries: 'python looks for what an earlier call has left',
    of: [17],
    plugin: 'python',
    case: 'look-for-leftovers',
    exit: /^exit 0$/,
    holds: ({ structured }) => expect(structured).toEqual({ found: { '.': [], '/tmp': SHOWN_IN_TMP, '/dev/shm': [] }, json: true }),
  },
];

describeHostile('hostile scripts and files', ROWS);
