import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseGemfile, parseGemLock, readRubyPlan } from '../../../../../src/executors/script/dependencies/ruby-plan.ts';
import type { PlanResult } from '../../../../../src/executors/script/dependencies/dependency-plan.ts';
import { useTmp } from '../../../../helpers/tmp.ts';

const LOCK = `GEM
  remote: https://rubygems.org/
  specs:
    mini_portile2 (2.8.5)
    nokogiri (1.16.0)
      mini_portile2 (~> 2.8.2)
      racc (~> 1.4)
    nokogiri (1.16.0-x86_64-linux)
      racc (~> 1.4)
    racc (1.7.3)

PLATFORMS
  ruby
  x86_64-linux

DEPENDENCIES
  nokogiri (~> 1.16)

CHECKSUMS
  racc (1.7.3) sha256=${'b'.repeat(64)}
  nokogiri (1.16.0)

RUBY VERSION
   ruby 3.1.2p20

BUNDLED WITH
   2.6.2
`;

const gemsOf = (result: PlanResult): unknown => (result.kind === 'plan' ? JSON.parse(result.plan.files['gems.json'] ?? '') : result);

test('parseGemLock() allows exactly what is locked, with the checksums that are there', () => {
  const result = parseGemLock(LOCK);
  expect(gemsOf(result)).toEqual({
    allowed: {
      'mini_portile2-2.8.5': null,
      'nokogiri-1.16.0': null,
      'nokogiri-1.16.0-x86_64-linux': null,
      'racc-1.7.3': 'b'.repeat(64),
    },
    gems: [
      { name: 'mini_portile2', requirements: ['= 2.8.5'] },
      { name: 'nokogiri', requirements: ['= 1.16.0'] },
      { name: 'racc', requirements: ['= 1.7.3'] },
    ],
  });
  expect(result).toMatchObject({ plan: { locked: true, hashed: true, registries: ['https://rubygems.org/'] } });
});

test.for([
  ['a repository', `GIT\n  remote: https://evil.example/x.git\n  specs:\n    x (1.0)\n`],
  ['a path', `PATH\n  remote: .\n  specs:\n    x (1.0)\n`],
  ['a line that is no gem', `GEM\n  specs:\n    x y z\n`],
  ['two versions', `GEM\n  specs:\n    x (1.0)\n    x (2.0)\n`],
] as const)('parseGemLock() refuses %s', ([, text], { expect: check }) => {
  check(parseGemLock(text)).toMatchObject({ kind: 'refused' });
});

test('parseGemfile() reads plain lines and refuses the rest of Ruby', () => {
  const text = `# frozen_string_literal: true\nsource 'https://rubygems.org'\nruby '3.1'\ngem 'a'\ngem "b", "~> 1.0", '>= 1.0.3' # why\ngem('c', require: false)\n`;
  expect(gemsOf(parseGemfile(text))).toEqual({
    allowed: null,
    gems: [
      { name: 'a', requirements: [] },
      { name: 'b', requirements: ['~> 1.0', '>= 1.0.3'] },
      { name: 'c', requirements: [] },
    ],
  });
  for (const line of [
    `gem 'a', git: 'https://x'`,
    `gem 'a', path: '.'`,
    'system("x")',
    `gem "#{x}"`,
    `source 'https://evil.example'`,
    'gemspec',
    `eval 'x'`,
  ]) {
    expect(parseGemfile(line)).toMatchObject({ kind: 'refused' });
  }
});

test('readRubyPlan() takes names with requirements of a manifest, and nothing else', () => {
  const directory = useTmp();
  for (const spec of ['rake', 'nokogiri:1.16.0', 'rake:~> 13.0', 'rake:>= 12, < 14']) {
    expect(readRubyPlan(directory, [spec])).toMatchObject({ kind: 'plan' });
  }
  for (const spec of ['-n', '--source=x', './a.gem', 'a/b', 'https://x/a.gem', 'a:b', 'a:1;x', '']) {
    expect(readRubyPlan(directory, [spec])).toMatchObject({ kind: 'refused' });
  }
});

test('parseGemLock() and parseGemfile() never throw', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(
        fc.constantFrom(
          'GEM',
          '  specs:',
          '    a (1.0)',
          '      b (> 1)',
          'CHECKSUMS',
          '  a (1.0) sha256=00',
          `gem '__proto__'`,
          '    __proto__ (1)',
          '',
        ),
      )
      .map((lines) => lines.join('\n')),
  );
  fc.assert(
    fc.property(text, (lock) => {
      for (const result of [parseGemLock(lock), parseGemfile(lock)]) expect(['plan', 'nothing', 'refused']).toContain(result.kind);
    }),
  );
});
