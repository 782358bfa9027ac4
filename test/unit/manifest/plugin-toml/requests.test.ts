import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readHost } from '../../../../src/manifest/plugin-toml/hosts.ts';
import { allRequests, readRequests } from '../../../../src/manifest/plugin-toml/requests.ts';
import type { Permission } from '../../../../src/manifest/plugin-toml/schema.ts';
import { createFindings } from '../../../../src/manifest/findings.ts';
import { formatProblem } from '../../../../src/manifest/problem.ts';
import { tryParseCapability } from '../../../../src/policy/capability.ts';

const FILES = ['read:fs:$ROOT', 'write:fs:$ROOT'];
const EXEC = ['exec:git', 'exec:rg', 'exec:grep', 'exec:find', 'exec:wc', 'exec:sort', 'exec:head', 'exec:tail'];
const FILTERED = 'allow_egress_filtered';

interface Row {
  readonly title: string;
  readonly permissions?: readonly Permission[];
  readonly network?: unknown;
  readonly requests: readonly string[];
  readonly warnings?: readonly string[];
}

const DEFAULTS = { defaults: ['file_read', 'file_write'], path: ['plugin'] } as const;

describe('readRequests() asks for', () => {
  test.for<Row>([
    { title: 'files where nothing is declared', requests: FILES },
    { title: 'nothing where the list is empty', permissions: [], requests: [] },
    { title: 'reading alone', permissions: ['file_read'], requests: ['read:fs:$ROOT'] },
    { title: 'writing alone', permissions: ['file_write'], requests: ['write:fs:$ROOT'] },
    { title: 'the eight programs', permissions: ['shell'], requests: EXEC },
    { title: 'each once, in one order', permissions: ['shell', 'file_write', 'shell', 'file_read'], requests: [...FILES, ...EXEC] },
    { title: 'no host where the permission has no table', permissions: ['network'], requests: ['net:[]'] },
    { title: 'no host where the table is empty', permissions: [], network: {}, requests: ['net:[]'] },
    { title: 'no host under deny', permissions: [], network: { policy: 'deny' }, requests: ['net:[]'] },
    { title: 'every host under allow_egress, permission or not', network: { policy: 'allow_egress' }, requests: [...FILES, 'net:*'] },
    {
      title: 'a host and its subdomains when filtered',
      permissions: ['network'],
      network: { policy: FILTERED, allowed_hosts: ['Slack.com', 'slack.com.', '10.0.0.1'] },
      requests: ['net:slack.com:*', 'net:*.slack.com:*', 'net:10.0.0.1:*'],
    },
    {
      title: 'no host when filtered without hosts',
      permissions: [],
      network: { policy: FILTERED },
      requests: ['net:[]'],
      warnings: ['F: plugin.network.policy is "allow_egress_filtered" without allowed_hosts: no host is allowed'],
    },
    {
      title: 'no host under an unknown policy',
      permissions: [],
      network: { policy: 'allow_all', allowed_hosts: ['a.test'] },
      requests: ['net:[]'],
      warnings: ['F: plugin.network.policy is "allow_all", which counts as deny: wanted deny, allow_egress or allow_egress_filtered'],
    },
    {
      title: 'no host under deny, whatever hosts are listed',
      permissions: [],
      network: { allowed_hosts: ['a.test'] },
      requests: ['net:[]'],
      warnings: ['F: plugin.network.allowed_hosts is not read under the policy "deny": wanted "allow_egress_filtered"'],
    },
    {
      title: 'every host under allow_egress, whatever hosts are listed',
      permissions: [],
      network: { policy: 'allow_egress', allowed_hosts: ['a.test'] },
      requests: ['net:*'],
      warnings: ['F: plugin.network.allowed_hosts is not read under the policy "allow_egress": wanted "allow_egress_filtered"'],
    },
    {
      title: 'a top-level domain, with a warning',
      permissions: [],
      network: { policy: FILTERED, allowed_hosts: ['com', 'localhost'] },
      requests: ['net:com:*', 'net:*.com:*', 'net:localhost:*', 'net:*.localhost:*'],
      warnings: ['F: plugin.network.allowed_hosts[0] is "com", which includes every host below it: wanted a host name with a dot'],
    },
  ])('$title', ({ permissions, network, requests, warnings = [] }, { expect }) => {
    const findings = createFindings({ file: 'F' });
    expect(allRequests(readRequests({ ...DEFAULTS, permissions, network }, findings))).toEqual(requests);
    expect(findings.problems).toEqual([]);
    expect(findings.warnings.map(formatProblem)).toEqual(warnings);
  });
});

describe('readHost()', () => {
  test.for<[text: string, host: string]>([
    ['api.slack.com', 'api.slack.com'],
    ['API.Slack.COM', 'api.slack.com'],
    ['api.slack.com.', 'api.slack.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['_dmarc.example.com', '_dmarc.example.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['2001:DB8::0:1', '[2001:db8::1]'],
  ])('reads %s', ([text, host], { expect }) => {
    expect(readHost(text)).toMatchObject({ ok: true, host });
  });

  test.for([
    '',
    '.',
    '..',
    'a..b',
    '*',
    '*.slack.com',
    'slack.com:443',
    'https://slack.com',
    'slack.com/x',
    'user@slack.com',
    'slack.com?x',
    'slack.com#x',
    'slack.com\\x',
    'slack .com',
    'slack.com\n',
    'sl%61ck.com',
    '-slack.com',
    'slack-.com',
    '[::1]:80',
    'fe80::1%eth0',
    '$ROOT',
    `${'a'.repeat(64)}.com`,
    'a.'.repeat(127),
  ])('refuses %j', (text, { expect }) => {
    expect(readHost(text)).toEqual({
      ok: false,
      wanted: 'a host name such as "api.slack.com", without scheme, port, path or "*" (subdomains are included)',
    });
  });

  test.for(['2130706433', '0x7f.1', '0177.0.0.1', '127.1', '127.0.0.1.', '１２７.0.0.1'])(
    'refuses %s, which only URLs read as an address',
    (text) => {
      expect(readHost(text)).toEqual({ ok: false, wanted: 'the address written as "127.0.0.1"' });
    },
  );
});

test('readRequests() asks in words that the policy understands', () => {
  const host = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6(),
    fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
  );
  const permissions = fc.option(fc.uniqueArray(fc.constantFrom<Permission>('file_read', 'file_write', 'shell', 'network')), {
    nil: undefined,
  });
  const policy = fc.constantFrom(FILTERED, 'allow_egress', 'deny');
  fc.assert(
    fc.property(permissions, policy, fc.array(host, { maxLength: 4 }), (asked, chosen, hosts) => {
      const requests = readRequests(
        { ...DEFAULTS, permissions: asked, network: { policy: chosen, allowed_hosts: hosts } },
        createFindings({ file: 'F' }),
      );
      for (const capability of allRequests(requests)) expect(tryParseCapability(capability)).not.toHaveProperty('issue');
    }),
    { numRuns: 1_000 },
  );
});
