import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formToolName, MAX_TOOL_NAME_LENGTH, nameTools, type ToolIdentity } from '../../../src/catalog/tool-name.ts';

const name = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 90 }),
  fc.stringMatching(/^[a-c_-]{1,6}$/),
  fc.stringMatching(/^[ab]{25,60}$/),
);
const identities = fc.uniqueArray(fc.record({ plugin: name, command: name }), {
  maxLength: 30,
  selector: ({ plugin, command }) => `${plugin.length}:${plugin}${command}`,
});
const listNames = (items: readonly ToolIdentity[]): string[] => items.map((item) => nameTools(items).get(item) ?? 'unnamed');

describe('formToolName()', () => {
  test.for([
    [{ plugin: 'vault', command: 'capture' }, 'plugin_vault_capture'],
    [{ plugin: 'web-search', command: 'look-up' }, 'plugin_web-search_look-up'],
    [{ plugin: 'a.b', command: 'c d/é' }, 'plugin_a_b_c_d__'],
    [{ plugin: 'x', command: 'y'.repeat(55) }, `plugin_x_${'y'.repeat(55)}`],
  ] as const)('makes of %o the name %s', ([identity, wanted]) => {
    expect(formToolName(identity)).toBe(wanted);
  });

  test('cuts a name of 65 characters and ends it in a hash of the original', () => {
    const identity = { plugin: 'x', command: 'y'.repeat(56) };
    const hash = createHash('sha256')
      .update(`1:x${'y'.repeat(56)}`)
      .digest('hex')
      .slice(0, 6);
    expect(formToolName(identity)).toBe(`plugin_x_${'y'.repeat(48)}_${hash}`);
    expect(formToolName(identity)).toHaveLength(64);
  });

  test('has at most 64 characters that every client takes, the same each time', () => {
    fc.assert(
      fc.property(name, name, (plugin, command) => {
        const formed = formToolName({ plugin, command });
        expect(formed).toMatch(/^plugin_[A-Za-z0-9_-]+$/);
        expect(formed.length).toBeLessThanOrEqual(MAX_TOOL_NAME_LENGTH);
        expect(formToolName({ plugin, command })).toBe(formed);
      }),
    );
  });
});

describe('nameTools()', () => {
  test('gives different tools different names that every client takes', () => {
    fc.assert(
      fc.property(identities, (items) => {
        const names = listNames(items);
        expect(new Set(names).size).toBe(items.length);
        for (const one of names) expect(one).toMatch(/^plugin_[A-Za-z0-9_-]{1,57}$/);
      }),
    );
  });

  test('does not depend on the order', () => {
    fc.assert(
      fc.property(identities, (items) => {
        const backwards = nameTools(items.toReversed());
        expect(items.map((item) => backwards.get(item))).toEqual(listNames(items));
      }),
    );
  });

  test('keeps "plugin_a_b" + "c" and "plugin_a" + "b_c" apart, and no plain name for either', () => {
    const [first = '', second = ''] = listNames([
      { plugin: 'a_b', command: 'c' },
      { plugin: 'a', command: 'b_c' },
    ]);
    expect(first).toMatch(/^plugin_a_b_c_[0-9a-f]{6}$/);
    expect(second).toMatch(/^plugin_a_b_c_[0-9a-f]{6}$/);
    expect(first).not.toBe(second);
  });

  test('leaves the names of tools alone that share theirs with nobody', () => {
    expect(
      listNames([
        { plugin: 'a-b', command: 'c' },
        { plugin: 'a_b', command: 'c' },
        { plugin: 'a', command: 'd' },
      ]),
    ).toEqual(['plugin_a-b_c', 'plugin_a_b_c', 'plugin_a_d']);
  });

  test('lets no plugin take the hashed name of another', () => {
    const clashing = [
      { plugin: 'a_b', command: 'c' },
      { plugin: 'a', command: 'b_c' },
    ];
    const [stolen = ''] = listNames(clashing);
    const thief = { plugin: 'a', command: `b_c_${stolen.slice(-6)}` };
    expect(formToolName(thief)).toBe(stolen);
    const names = listNames([...clashing, thief]);
    expect(new Set(names).size).toBe(3);
    expect(names).not.toContain(stolen);
  });

  test('gives two commands of one identity the same name, for they are one', () => {
    const [first, second] = listNames([
      { plugin: 'a', command: 'b' },
      { plugin: 'a', command: 'b' },
    ]);
    expect(first).toBe('plugin_a_b');
    expect(second).toBe('plugin_a_b');
  });
});
