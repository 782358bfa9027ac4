import { describe, expect, test } from 'vitest';

import { splitPluginVerb } from '../../../src/commands/plugin-verb.ts';

const NONE = { plugins: [], json: false };

describe('splitPluginVerb()', () => {
  test.for([
    [['vault'], { command: undefined, words: [], common: NONE }],
    [['vault', '--help'], { command: undefined, words: [], common: NONE }],
    [['vault', '-h'], { command: undefined, words: [], common: NONE }],
    [['vault', 'capture', 'a thought'], { command: 'capture', words: ['a thought'], common: NONE }],
    [['vault', 'capture', '--help'], { command: 'capture', words: ['--help'], common: NONE }],
    [['vault', '--json', 'capture', 'x'], { command: 'capture', words: ['x'], common: { plugins: [], json: true } }],
    [
      ['vault', 'capture', '--plugins', 'a', '--plugins=b', '--root', 'r', '--config=c=d', '--policy', 'p', 'x', '--json'],
      { command: 'capture', words: ['x'], common: { plugins: ['a', 'b'], root: 'r', config: 'c=d', policy: 'p', json: true } },
    ],
    [['vault', 'capture', '--rooted', 'x'], { command: 'capture', words: ['--rooted', 'x'], common: NONE }],
    [['vault', 'capture', '--', '--json', '--root', 'x'], { command: 'capture', words: ['--', '--json', '--root', 'x'], common: NONE }],
  ] as const)('takes %o apart', ([argv, wanted]) => {
    expect(splitPluginVerb(argv)).toEqual({ plugin: 'vault', ...wanted });
  });

  test.for(['plugins', 'root', 'config', 'policy'])('refuses --%s without a value, for it would mean the working directory', (option) => {
    const wanted = { code: 'COMMANDS_VALUE_MISSING', fault: 'caller', message: `Cannot read the option "--${option}": it wants a value` };
    for (const words of [[`--${option}`], [`--${option}=`], [`--${option}`, '']]) {
      expect(() => splitPluginVerb(['vault', 'capture', ...words])).toThrow(expect.objectContaining(wanted));
    }
  });
});
