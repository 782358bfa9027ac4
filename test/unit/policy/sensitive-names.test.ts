import { test } from 'vitest';

import { protectionOf } from '../../../src/policy/protection.ts';
import { findSensitiveName, type Access } from '../../../src/policy/sensitive-names.ts';
import { splitPath } from '../../../src/policy/path-pattern.ts';

test.for<[string, Access, string | undefined]>([
  ['.ssh/id', 'read', '.ssh'],
  ['a/.SSH/known_hosts', 'read', '.ssh'],
  ['.gnupg', 'read', '.gnupg'],
  ['.aws/credentials', 'read', '.aws/credentials'],
  ['.aws/other', 'read', undefined],
  ['.env', 'read', '.env'],
  ['a/.Env', 'read', '.env'],
  ['.env.local', 'read', '.env.*'],
  ['.environment.md', 'read', undefined],
  ['my.env', 'read', undefined],
  ['.env. ', 'read', '.env'],
  ['.e\u200Bnv', 'read', '.env'],
  ['.ſsh', 'read', '.ssh'],
  ['.npmrc', 'read', '.npmrc'],
  ['.netrc', 'write', '.netrc'],
  ['keys/id_rsa', 'read', 'id_rsa'],
  ['keys/id_rsa.pub', 'read', undefined],
  ['.git/config', 'read', undefined],
  ['.git/config', 'write', '.git'],
  ['.git/hooks/pre-commit', 'write', '.git'],
  ['.gitignore', 'write', undefined],
  ['.agentzero/policy.yml', 'read', '.agentzero/policy.yml'],
  ['.agentzero/plugins/x/PLUGIN.toml', 'read', undefined],
  ['.agentzero/plugins/x/PLUGIN.toml', 'write', '.agentzero/plugins'],
  ['.agentzero-brain.toml', 'write', undefined],
  ['.plugbridge/policy.toml', 'read', '.plugbridge'],
  ['.mcp.json', 'write', '.mcp.json'],
  ['.mcp.json', 'read', undefined],
  ['docs/a.md', 'write', undefined],
])('findSensitiveName() %j, %s: %s', ([path, access, wanted], { expect }) => {
  expect(findSensitiveName(path.split('/'), access)).toBe(wanted);
});

const places = {
  root: splitPath('/srv/.env/proj'),
  plugin: splitPath('/srv/.env/proj/.plugbridge/plugins/vault'),
  own: [splitPath('/share/data/vault'), splitPath('/tmp/run')],
  protected: [splitPath('/share'), splitPath('/etc/own')],
};
const forbidden = (reason: string): unknown => ({ kind: 'forbidden', reason });

test.for<[string, Access, unknown]>([
  ['/srv/.env/proj/a.md', 'write', { kind: 'ordinary' }],
  ['/srv/.env/other', 'read', forbidden('".env" is never read by plugins')],
  ['/srv/.env/proj/.plugbridge/plugins/vault/a', 'read', { kind: 'own' }],
  ['/srv/.env/proj/.plugbridge/plugins/vault/a', 'write', forbidden('a plugin cannot change its own files')],
  ['/srv/.env/proj/.plugbridge/plugins/other/a', 'read', forbidden('".plugbridge" is never read by plugins')],
  ['/share/data/vault/.env', 'write', { kind: 'own' }],
  ['/share/data/other', 'read', forbidden('it belongs to plugbridge itself')],
  ['/etc/own/config.toml', 'read', forbidden('it belongs to plugbridge itself')],
  ['/etc/owner', 'read', { kind: 'ordinary' }],
  ['/tmp/run/x', 'write', { kind: 'own' }],
])('protectionOf() %s, %s', ([path, access, wanted], { expect }) => {
  expect(protectionOf(splitPath(path), access, places)).toEqual(wanted);
});
