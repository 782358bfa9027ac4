import fc from 'fast-check';
import { expect, test } from 'vitest';

import { formatCapability, parseCapability, tryParseCapability } from '../../../src/policy/capability.ts';
import { covers } from '../../../src/policy/covers.ts';
import { isWithin } from '../../../src/policy/path-pattern.ts';
import type { Query } from '../../../src/policy/query.ts';
import { PATHS } from './fixtures.ts';

test.for([
  ['read:fs:$ROOT', 'read:fs:$ROOT'],
  ['write:fs:$ROOT/docs/', 'write:fs:$ROOT/docs'],
  ['write:fs:$ROOT/docs/**', 'write:fs:$ROOT/docs'],
  ['read:fs:/', 'read:fs:/'],
  ['read:fs:$ROOT/*.md', 'read:fs:$ROOT/*.md'],
  ['exec:git', 'exec:git'],
  ['exec:git:$ROOT/sub', 'exec:git:$ROOT/sub'],
  ['net:*', 'net:*'],
  ['net:*:*', 'net:*'],
  ['net:*:443', 'net:*:443'],
  ['net:[]', 'net:[]'],
  ['net:API.Example.com.:443', 'net:api.example.com:443'],
  ['net:*.Example.com:*', 'net:*.example.com:*'],
  ['net:bücher.example:443', 'net:xn--bcher-kva.example:443'],
  ['net:0x7f.1:80', 'net:127.0.0.1:80'],
  ['net:[::1]:8080', 'net:[::1]:8080'],
  ['net:[0:0:0:0:0:0:0:1]:8080', 'net:[::1]:8080'],
  ['env:HOME', 'env:HOME'],
  ['storage:read', 'storage:read'],
  ['storage:write', 'storage:write'],
  ['session:write', 'session:write'],
  ['run:wasm', 'run:wasm'],
] as const)('parseCapability() reads "%s" as "%s"', ([text, wanted], { expect }) => {
  expect(formatCapability(parseCapability(text))).toBe(wanted);
});

test.for([
  ['read:fs:docs', 'a path begins with "/" or one of $ROOT, $PLUGIN, $DATA, $RUN'],
  ['read:fs:$ROOTS', 'a path begins with "/" or one of $ROOT, $PLUGIN, $DATA, $RUN'],
  ['read:fs:$ROOT/../x', 'a path has no empty, "." or ".." segments'],
  ['read:fs:$ROOT//x', 'a path has no empty, "." or ".." segments'],
  ['read:fs:$ROOT/a**', '"**" stands for whole segments'],
  ['read:fs:/a\0b', 'a path has no control characters'],
  ['exec:/bin/sh', 'the program is a bare name such as "git"'],
  ['exec:', 'the program is a bare name such as "git"'],
  ['net:example.com', 'the form is net:<host>:<port>, the port 1 to 65535 or "*"'],
  ['net:example.com:0', 'the form is net:<host>:<port>, the port 1 to 65535 or "*"'],
  ['net:example.com:65536', 'the form is net:<host>:<port>, the port 1 to 65535 or "*"'],
  ['net:::1:80', 'the host is a name, an address (IPv6 in brackets), "*.example.com" or "*"'],
  ['net:a@b:80', 'the host is a name, an address (IPv6 in brackets), "*.example.com" or "*"'],
  ['net:a.*.b:80', 'the host is a name, an address (IPv6 in brackets), "*.example.com" or "*"'],
  ['net:*.1.2.3.4:80', 'the host is a name, an address (IPv6 in brackets), "*.example.com" or "*"'],
  ['net:[fe80::1%25eth0]:80', 'the host is a name, an address (IPv6 in brackets), "*.example.com" or "*"'],
  ['env:A=B', 'the name does not match ^[A-Za-z_][A-Za-z0-9_]{0,127}$'],
] as const)('parseCapability() refuses "%s"', ([text, reason], { expect }) => {
  expect(() => parseCapability(text)).toThrow(`Cannot use the capability "${text}": ${reason}`);
});

test('parseCapability() names the grammar for an unknown kind', () => {
  expect(tryParseCapability('fly:moon')).toEqual({ issue: expect.stringContaining('wanted is one of read:fs:<path>') });
});

test.for<[string, Query & { kind: Exclude<Query['kind'], 'net-body'> }, boolean]>([
  ['read:fs:/data', { kind: 'read:fs', path: '/data' }, true],
  ['read:fs:/data', { kind: 'read:fs', path: '/data/x' }, true],
  ['read:fs:/data', { kind: 'read:fs', path: '/data2' }, false],
  ['read:fs:/data', { kind: 'read:fs', path: '/data/../etc/passwd' }, false],
  ['read:fs:/data', { kind: 'read:fs', path: 'data/x' }, false],
  ['read:fs:/data', { kind: 'read:fs', path: '/data/x\0y' }, false],
  ['read:fs:/data', { kind: 'write:fs', path: '/data/x' }, false],
  ['read:fs:$ROOT', { kind: 'read:fs', path: '/work/proj/a' }, true],
  ['read:fs:$ROOT', { kind: 'read:fs', path: '/work/project/a' }, false],
  ['read:fs:$ROOT/*.md', { kind: 'read:fs', path: '/work/proj/a.md' }, true],
  ['read:fs:$ROOT/*.md', { kind: 'read:fs', path: '/work/proj/a.md/b' }, false],
  ['read:fs:$ROOT/*.md', { kind: 'read:fs', path: '/work/proj/sub/a.md' }, false],
  ['read:fs:$ROOT/**/*.md', { kind: 'read:fs', path: '/work/proj/x/y/.a.md' }, true],
  ['read:fs:$ROOT/**/*.md', { kind: 'read:fs', path: '/work/proj/a.md' }, true],
  ['read:fs:$DATA', { kind: 'read:fs', path: '/home/me/.local/share/plugbridge/vault/x' }, true],
  ['exec:git', { kind: 'exec', program: 'git', args: [] }, true],
  ['exec:git', { kind: 'exec', program: 'rg', args: [] }, false],
  ['exec:git', { kind: 'exec', program: '/usr/bin/git', args: [] }, false],
  ['exec:git:$ROOT', { kind: 'exec', program: 'git', args: [] }, true],
  ['exec:git:$ROOT/sub', { kind: 'exec', program: 'git', args: [] }, false],
  ['exec:git:$ROOT/sub', { kind: 'exec', program: 'git', args: [], directory: '/work/proj/sub/deeper' }, true],
  ['net:*', { kind: 'net', host: 'a.test', port: 1 }, true],
  ['net:a.test:*', { kind: 'net', host: 'A.test.', port: 81 }, true],
  ['net:a.test:80', { kind: 'net', host: 'a.test', port: 81 }, false],
  ['net:*.a.test:*', { kind: 'net', host: 'b.a.test', port: 80 }, true],
  ['net:*.a.test:*', { kind: 'net', host: 'a.test', port: 80 }, false],
  ['net:*.a.test:*', { kind: 'net', host: 'evila.test', port: 80 }, false],
  ['net:[]', { kind: 'net', host: 'a.test', port: 80 }, false],
  ['env:HOME', { kind: 'env', name: 'HOME' }, true],
  ['env:HOME', { kind: 'env', name: 'HOMES' }, false],
  ['storage:read', { kind: 'storage:read' }, true],
  ['storage:read', { kind: 'storage:write' }, false],
  ['session:write', { kind: 'session:write' }, true],
  ['run:wasm', { kind: 'run', runtime: 'wasm' }, true],
])('covers() %s, %j: %s', ([capability, query, wanted], { expect }) => {
  expect(covers(parseCapability(capability), query, PATHS)).toBe(wanted);
});

const segment = fc.stringMatching(/^[a-c.]{1,3}$/).filter((text) => text !== '.' && text !== '..');

test('covers() agrees with containment by segments on any two paths', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 4 }), fc.array(segment, { maxLength: 5 }), (held, used) => {
      const isCovered = covers(parseCapability(`read:fs:/${held.join('/')}`), { kind: 'read:fs', path: `/${used.join('/')}` }, PATHS);
      expect(isCovered).toBe(isWithin(held, used));
      expect(isCovered).toBe(`/${[...used, ''].join('/')}`.startsWith(`/${[...held, ''].join('/')}`) || held.length === 0);
    }),
  );
});

test('tryParseCapability() never throws, and what it reads is written back equal', () => {
  const text = fc.oneof(
    fc.string(),
    fc.tuple(fc.constantFrom('read:fs:', 'exec:', 'net:', 'env:', 'net:[', 'write:fs:$ROOT/'), fc.string()).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      const capability = tryParseCapability(input);
      if (!('issue' in capability)) expect(tryParseCapability(formatCapability(capability))).toEqual(capability);
    }),
    { numRuns: 1000 },
  );
});
