import { expect, test } from 'vitest';

import { TestFileSchema } from '../../../src/trials/test-case.ts';
import { readPage } from '../../helpers/console-examples.ts';
import { readTableBelow } from '../../helpers/markdown-table.ts';

test('docs/writing-a-script-plugin.md lists every key of a test file, and no other', () => {
  const shown = readTableBelow(readPage('docs/writing-a-script-plugin.md'), '## Tests').map(([key]) => key);
  expect(shown).toEqual(Object.keys(TestFileSchema.shape).map((key) => `\`${key}\``));
});
