import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { KeyPath } from '../../../src/manifest/problem.ts';
import { createLineFinder } from '../../../src/manifest/toml-lines.ts';

const DOCUMENT = `# [not.a.table]
top = "a # no comment [x]" # comment
dotted . "quo.ted" . 'lit' = 1
"esc\\u0061ped" = 1

[plugin]            # 6
name = '''
[fake]
x = 1
'''
text = """
y = 2 \\"""
z = """""           # 13
list = [            # 14
  "a]",  # ]
  { x = 1, y = [ 2,
    3 ] },
]

[[commands]]        # 20
name = "a"
[commands.input]    # 22
"a" = { type = "x", deep = { er = 1 } }
[commands.input.b]
type = 1
[[commands.examples]]
e = 1
[[commands.examples]]
e = 2               # 29
[[commands]]        # 30
name = "b"
[commands.input]    # 32
a = 1
`;

test.for<[path: KeyPath, line: number]>([
  [['top'], 2],
  [['dotted'], 3],
  [['dotted', 'quo.ted', 'lit'], 3],
  [['escaped'], 4],
  [['plugin'], 6],
  [['plugin', 'name'], 7],
  [['plugin', 'text'], 11],
  [['plugin', 'list'], 14],
  [['plugin', 'list', 0], 15],
  [['plugin', 'list', 1, 'x'], 16],
  [['plugin', 'list', 1, 'y', 1], 17],
  [['commands'], 20],
  [['commands', 0], 20],
  [['commands', 0, 'name'], 21],
  [['commands', 0, 'input'], 22],
  [['commands', 0, 'input', 'a', 'deep', 'er'], 23],
  [['commands', 0, 'input', 'b', 'type'], 25],
  [['commands', 0, 'examples', 1, 'e'], 29],
  [['commands', 1], 30],
  [['commands', 1, 'name'], 31],
  [['commands', 1, 'input', 'a'], 33],
])('createLineFinder() finds %j on line %i', ([path, line], { expect }) => {
  expect(createLineFinder(DOCUMENT)(path)).toBe(line);
});

test.for<[path: KeyPath, line: number | undefined]>([
  [['plugin', 'missing'], 6],
  [['commands', 1, 'input', 'z', 'y'], 32],
  [['commands', 0, 'description'], 20],
  [['missing'], undefined],
  [['not'], undefined],
  [['fake'], undefined],
  [[], undefined],
])('createLineFinder() gives for the missing %j the line around it: %s', ([path, line], { expect }) => {
  expect(createLineFinder(DOCUMENT)(path)).toBe(line);
});

test('createLineFinder() counts line ends of either kind', () => {
  expect(createLineFinder('a = 1\r\n\r\nb = """x\r\ny"""\r\nc = 1\r\n')(['c'])).toBe(5);
});

test('createLineFinder() never throws and names only lines that exist', () => {
  const piece = fc.constantFrom('[', ']', '[[', ']]', '{', '}', '=', '.', ',', '"', "'", '"""', "'''", '\\', '#', '\n', ' ', 'a', 'b', '1');
  const text = fc.oneof(
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.tuple(fc.nat(DOCUMENT.length), piece).map(([at, inserted]) => DOCUMENT.slice(0, at) + inserted + DOCUMENT.slice(at + 1)),
  );
  const path = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'plugin', 'commands'), fc.nat(2)), { maxLength: 4 });
  fc.assert(
    fc.property(text, path, (document, wanted) => {
      const line = createLineFinder(document)(wanted);
      expect(line === undefined || (line >= 1 && line <= document.split('\n').length)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('createLineFinder() finds every key that is written on a line of its own', () => {
  const key = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { minLength: 1, maxLength: 20 }),
      fc.array(fc.constantFrom('', '# x = 1', '   '), { maxLength: 5 }),
      (keys, gap) => {
        const between = gap.map((text) => `${text}\n`).join('');
        const find = createLineFinder(keys.map((name) => `${between}${name} = [\n"${name} = 1"\n]\n`).join(''));
        keys.forEach((name, index) => expect(find([name])).toBe(index * (gap.length + 3) + gap.length + 1));
      },
    ),
  );
});

test('createLineFinder() follows nesting to its limit without running out of stack', () => {
  const find = createLineFinder(`a = ${'['.repeat(100_000)}\nb = 1\n`);
  expect(find(['a', 0, 0, 0])).toBe(1);
});
