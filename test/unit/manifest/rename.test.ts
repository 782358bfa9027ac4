import { expect, test } from 'vitest';

import { tryRenameManifest } from '../../../src/manifest/rename.ts';

test('tryRenameManifest() changes the name and nothing else', () => {
  expect(tryRenameManifest('plugin.json', '{\n  "name": "a", // no\n  "description": "a"\n}\n', 'b')).toBe(
    '{\n  "name": "b", // no\n  "description": "a"\n}\n',
  );
  const toml = '# name = "no"\n[plugin]\nversion = "1"\nname = "a" # the name\n\n[[commands]]\nname = "a"\n';
  expect(tryRenameManifest('PLUGIN.toml', toml, 'b')).toBe(toml.replace('name = "a" #', 'name = "b" #'));
});

test.for([
  ['PLUGIN.toml', '[plugin]\nversion = "1"\n'],
  ['PLUGIN.toml', '[plugin]\nname = """a"""\n'],
  ['main.py', 'name = "a"'],
] as const)('tryRenameManifest() gives up on %s with %j', ([file, text]) => {
  expect(tryRenameManifest(file, text, 'b')).toBeUndefined();
});
