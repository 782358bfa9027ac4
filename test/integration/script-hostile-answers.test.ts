import { expect } from 'vitest';

import type { Outcome } from '../../src/dispatch/outcome.ts';
import { describeHostile, type HostileRow } from '../helpers/hostile-rows.ts';

const OK = /^exit 0$/;
const textOf = ({ content }: Outcome): string => content.map((item) => (item.type === 'text' ? item.text : '')).join('\n');

const ROWS: readonly HostileRow[] = [
  {
    tries: 'python prints what is not UTF-8',
    of: [39],
    plugin: 'python',
    case: 'print-bytes',
    gets: 'failed',
    message: /not UTF-8/,
    exit: OK,
  },
  {
    tries: 'python prints 200,000 nested arrays',
    of: [39],
    plugin: 'python',
    case: 'print-nested',
    exit: OK,
    holds: (outcome) => {
      expect(outcome.structured).toBeUndefined();
      expect(textOf(outcome)).toMatch(/nested deeper/);
    },
  },
  {
    tries: 'python prints 100,000 nested objects',
    of: [39],
    plugin: 'python',
    case: 'print-nested-object',
    exit: OK,
    holds: (outcome) => expect(outcome.structured).toBeUndefined(),
  },
  {
    tries: 'python prints an object with __proto__',
    of: [39],
    plugin: 'python',
    case: 'print-prototype',
    exit: OK,
    holds: () => {
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
  },
  {
    tries: 'python prints two documents',
    of: [39],
    plugin: 'python',
    case: 'print-two-documents',
    exit: OK,
    holds: (outcome) => {
      expect(outcome.structured).toEqual({ second: 2 });
      expect(textOf(outcome)).toMatch(/more than JSON/);
    },
  },
  {
    tries: 'python prints nothing',
    of: [39],
    plugin: 'python',
    case: 'print-nothing',
    exit: OK,
    holds: (outcome) => expect(textOf(outcome)).toMatch(/printed nothing/),
  },
  {
    tries: 'python prints what looks like a result of the server',
    of: [39],
    plugin: 'python',
    case: 'print-error-lies',
    exit: OK,
    holds: ({ content, structured }) => {
      expect(content.length).toBe(1);
      expect(structured?.['_meta']).toEqual({ granted: true });
    },
  },
  {
    tries: 'python forges the mark at the end of an answer',
    of: [39],
    plugin: 'python',
    case: 'forge-end-mark',
    exit: OK,
    holds: (outcome) => expect(JSON.stringify(outcome.structured ?? textOf(outcome))).toMatch(/ok/),
  },
  { tries: 'python finds the mark at the end and ends itself with it', of: [39], plugin: 'python', case: 'find-end-mark', exit: OK },
  {
    tries: 'python names 100,000 files',
    of: [39],
    plugin: 'python',
    case: 'many-files',
    exit: OK,
    holds: (outcome) => {
      expect(outcome.artifacts.map(({ name }) => name).filter((name) => name.startsWith('missing'))).toEqual([]);
      expect(textOf(outcome)).toMatch(/99936 files were ignored/);
      expect(textOf(outcome).length).toBeLessThan(200_000);
    },
  },
  {
    tries: 'python names links, hard links, pipes, devices, directories and paths out of its run directory as files',
    of: [1, 2, 3, 5, 8, 9],
    plugin: 'python',
    case: 'odd-files',
    args: ({ secretFile }) => ({ secret: secretFile }),
    exit: OK,
    holds: (outcome) => {
      expect(outcome.artifacts.map(({ name, mimeType, bytes }) => [name, mimeType, bytes])).toEqual([['evil.txt', 'text/plain', 4]]);
      const warnings = textOf(outcome);
      for (const name of [
        'link.txt',
        'inner-link.txt',
        'linked-directory',
        'hard-link.txt',
        'fifo',
        'directory',
        'missing.txt',
        '/dev/zero',
      ])
        expect(warnings).toContain(name);
    },
  },
  ...(['file', 'directory'] as const).map((what): HostileRow => ({
    tries: `python swaps a ${what} for a link to a secret while the answer is taken`,
    of: [6, 7],
    plugin: 'python',
    case: `flip-${what}`,
    args: ({ secretFile }) => ({ secret: secretFile }),
    exit: OK,
    holds: (outcome) => expect(outcome.artifacts).toEqual([]),
  })),
  {
    tries: 'python names more bytes of files than a call may keep',
    of: [17],
    plugin: 'python',
    case: 'big-files',
    exit: OK,
    holds: ({ artifacts }) => expect(artifacts.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(256 * 1024 * 1024),
  },
  {
    tries: 'python says that a page with a script is an image',
    of: [39],
    plugin: 'python',
    case: 'lie-about-image',
    exit: OK,
    holds: ({ content }) => expect(content.map(({ type }) => type)).not.toContain('image'),
  },
];

describeHostile('hostile scripts and their answers', ROWS);
