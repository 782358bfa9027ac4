import { describe, expect, test } from 'vitest';

import type { PluginEntry } from '../../../src/catalog/catalog.ts';
import { loadEntries, type LoadDeps } from '../../../src/catalog/load.ts';
import type { Candidate, Discovery } from '../../../src/discover/candidates.ts';
import type { ManifestReading } from '../../../src/manifest/format.ts';
import type { Plugin } from '../../../src/manifest/plugin.ts';
import { aCandidate, aPlugin } from './fixtures.ts';

const found = (...candidates: Candidate[]): Discovery => ({ candidates, skipped: [], problems: [], searched: [] });
const good = (plugin: Plugin): ManifestReading => ({ ok: true, plugin });
const bad = (...messages: string[]): ManifestReading => ({
  ok: false,
  name: 'a',
  problems: messages.map((message) => ({ file: 'PLUGIN.toml', message })),
  warnings: [],
});

/** Everything is trusted, nothing is inspected or kept; `readings` by directory. */
const depsWith = (readings: Record<string, ManifestReading>, over: Partial<LoadDeps> = {}): LoadDeps => ({
  readManifest: ({ directory }) => readings[directory] ?? bad('missing'),
  inspect: () => ({ ok: true, warnings: [] }),
  judgeTrust: () => ({ trusted: true }),
  capLimits: (limits) => limits,
  cache: { read: (candidate, make) => make(candidate), recall: () => undefined, save: () => {} },
  ...over,
});

const untrusted: LoadDeps['judgeTrust'] = (_plugin, { origin }) =>
  origin === 'workspace' ? { trusted: false, changed: false, reason: 'look at it' } : { trusted: true };
const loadOne = (deps: LoadDeps, previous: readonly PluginEntry[] = []): PluginEntry | undefined =>
  loadEntries(found(aCandidate('a')), deps, previous)[0];

describe('loadEntries() makes an entry', () => {
  test('that is callable of a plugin that is read, passes inspection and is trusted', () => {
    const plugin = aPlugin('a', { warnings: ['odd key'] });
    const deps = depsWith({ '/plugins/a': good(plugin) }, { inspect: () => ({ ok: true, warnings: ['large'] }) });
    expect(loadOne(deps)).toEqual({
      name: 'a',
      system: 'fixture',
      directory: '/plugins/a',
      origin: 'user',
      status: 'ok',
      plugin,
      callable: true,
      warnings: ['odd key', 'large'],
    });
  });

  test.for([
    ['manifest', depsWith({ '/plugins/a': bad('name is missing') }), 'PLUGIN.toml: name is missing'],
    ['manifest twice', depsWith({ '/plugins/a': bad('one', 'two', 'three') }), 'PLUGIN.toml: one (and 2 more, see plugbridge validate)'],
    ['module', depsWith({ '/plugins/a': good(aPlugin('a')) }, { inspect: () => ({ ok: false, problems: ['no export'] }) }), 'no export'],
    [
      'unnamed problem',
      depsWith({ '/plugins/a': good(aPlugin('a')) }, { inspect: () => ({ ok: false, problems: [] }) }),
      'it cannot be read',
    ],
  ] as const)('that is broken: %s', ([, deps, error]) => {
    const entry = loadOne(deps);
    expect(entry).toMatchObject({ name: 'a', status: 'broken', callable: false, error });
    expect(entry).not.toHaveProperty('plugin');
  });

  test('named after its directory when not even the name can be read', () => {
    const deps = depsWith({ '/plugins/a': { ok: false, problems: [{ file: 'PLUGIN.toml', message: 'not TOML' }], warnings: [] } });
    expect(loadEntries(found(aCandidate('a')), deps, [])[0]?.name).toBe('a');
  });

  test.for([
    ['disabled', aPlugin('a', { enabled: false }), undefined, 'it is disabled'],
    ['untrusted', aPlugin('a'), { trusted: false, changed: false, reason: 'look at it' }, 'look at it'],
    ['changed', aPlugin('a'), { trusted: false, changed: true, reason: 'it changed' }, 'it changed'],
  ] as const)('that is %s and not callable', ([status, plugin, answer, error]) => {
    const deps = depsWith({ '/plugins/a': good(plugin) }, answer ? { judgeTrust: () => answer } : {});
    expect(loadOne(deps)).toMatchObject({ status, callable: false, error, plugin });
  });

  test('with the limits that the person set', () => {
    const deps = depsWith({ '/plugins/a': good(aPlugin('a')) }, { capLimits: (limits) => ({ ...limits, timeoutMs: 5 }) });
    expect(loadOne(deps)?.plugin?.limits.timeoutMs).toBe(5);
  });
});

describe('loadEntries() settles who gets a name', () => {
  const first = aPlugin('a');
  const second = aPlugin('a', { directory: '/plugins/b' });
  const both = { '/plugins/a': good(first), '/plugins/b': good(second) };

  test('the first one', () => {
    const [winner, loser] = loadEntries(found(aCandidate('a'), aCandidate('b')), depsWith(both), []);
    expect(winner).toMatchObject({ directory: '/plugins/a', status: 'ok' });
    expect(loser).toMatchObject({
      directory: '/plugins/b',
      status: 'broken',
      callable: false,
      error: 'the name is taken by the plugin in "/plugins/a"',
    });
    expect(loser).not.toHaveProperty('plugin');
  });

  test('a trusted one before an untrusted one that was found earlier', () => {
    const entries = loadEntries(
      found(aCandidate('a', { origin: 'workspace' }), aCandidate('b')),
      depsWith(both, { judgeTrust: untrusted }),
      [],
    );
    expect(entries.map(({ directory, status }) => [directory, status])).toEqual([
      ['/plugins/a', 'broken'],
      ['/plugins/b', 'ok'],
    ]);
  });

  test('the first of two untrusted ones', () => {
    const workspace = { origin: 'workspace' } as const;
    const entries = loadEntries(
      found(aCandidate('a', workspace), aCandidate('b', workspace)),
      depsWith(both, { judgeTrust: untrusted }),
      [],
    );
    expect(entries.map((entry) => entry.status)).toEqual(['untrusted', 'broken']);
  });

  test('and sorts by name', () => {
    const deps = depsWith({ '/plugins/z': good(aPlugin('z')), '/plugins/a': good(aPlugin('a')), '/plugins/B': good(aPlugin('B')) });
    const entries = loadEntries(found(aCandidate('z'), aCandidate('a'), aCandidate('B')), deps, []);
    expect(entries.map((entry) => entry.name)).toEqual(['B', 'a', 'z']);
  });
});

describe('loadEntries() after an earlier load', () => {
  const plugin = aPlugin('a');
  const before = (): readonly PluginEntry[] => loadEntries(found(aCandidate('a')), depsWith({ '/plugins/a': good(plugin) }), []);

  test('keeps the same plugin object while the digest is the same', () => {
    const earlier = before();
    expect(loadOne(depsWith({ '/plugins/a': good(structuredClone(plugin)) }), earlier)?.plugin).toBe(earlier[0]?.plugin);
    const changed = aPlugin('a', { digest: 'sha256:other' });
    expect(loadOne(depsWith({ '/plugins/a': good(changed) }), before())?.plugin).toEqual(changed);
  });

  test('lets the last good version of a plugin that broke go on', () => {
    expect(loadOne(depsWith({ '/plugins/a': bad('name is missing') }), before())).toMatchObject({
      name: 'a',
      status: 'broken',
      callable: true,
      plugin,
      error: 'PLUGIN.toml: name is missing; its last good version 1.0.0 goes on',
    });
  });

  test('lets it go on through several broken loads, and come back', () => {
    const broken = depsWith({ '/plugins/a': bad('x') });
    const twice = loadEntries(found(aCandidate('a')), broken, loadEntries(found(aCandidate('a')), broken, before()));
    expect(twice[0]).toMatchObject({ status: 'broken', callable: true });
    expect(loadOne(depsWith({ '/plugins/a': good(plugin) }), twice)).toMatchObject({ status: 'ok', callable: true });
  });

  test('lets nothing go on that is trusted no more', () => {
    const deps = depsWith({ '/plugins/a': bad('x') }, { judgeTrust: () => ({ trusted: false, changed: false, reason: 'no' }) });
    expect(loadOne(deps, before())).toMatchObject({ status: 'broken', callable: false, error: 'PLUGIN.toml: x' });
  });

  test('lets nothing go on that was not callable before', () => {
    const disabled = loadEntries(found(aCandidate('a')), depsWith({ '/plugins/a': good(aPlugin('a', { enabled: false })) }), []);
    expect(loadOne(depsWith({ '/plugins/a': bad('x') }), disabled)).toMatchObject({ callable: false, error: 'PLUGIN.toml: x' });
  });

  test('forgets what is gone, and saves what was read', () => {
    let saved = 0;
    const deps = depsWith({}, { cache: { read: (candidate, make) => make(candidate), recall: () => undefined, save: () => void saved++ } });
    expect(loadEntries(found(), deps, before())).toEqual([]);
    expect(saved).toBe(1);
  });
});
