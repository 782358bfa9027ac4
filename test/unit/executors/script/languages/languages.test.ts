import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

import { describe, test } from 'vitest';

import { INTERPRETERS, LANGUAGE_TABLE, toLoaderCommand } from '../../../../../src/executors/script/languages/languages.ts';
import { LANGUAGES } from '../../../../../src/manifest/plugin.ts';
import { LOADERS } from '../../../../helpers/loaders.ts';

const request = { program: '/usr/bin/it', loadersDirectory: '/ours', pluginDirectory: '/plugins/a b', mainFile: '/plugins/a b/main' };

describe('LANGUAGE_TABLE', () => {
  test('has a loader for every language, and no extension twice', ({ expect }) => {
    for (const language of LANGUAGES) expect(existsSync(join(LOADERS, LANGUAGE_TABLE[language].loader))).toBe(true);
    const extensions = LANGUAGES.flatMap((language) => [...LANGUAGE_TABLE[language].extensions]);
    expect(new Set(extensions).size).toBe(extensions.length);
    expect(new Set(LANGUAGES.map((language) => LANGUAGE_TABLE[language].interpreter))).toEqual(new Set(INTERPRETERS));
  });

  test('keeps packages inside of the plugin', ({ expect }) => {
    for (const language of LANGUAGES) {
      const { dependencyDirectory } = LANGUAGE_TABLE[language];
      expect(isAbsolute(dependencyDirectory) || dependencyDirectory.includes('..')).toBe(false);
    }
  });
});

describe('toLoaderCommand()', () => {
  test.for([
    ['python', ['-I', '-S', '-B', '-X', 'utf8', '/ours/python.py', request.mainFile, '/plugins/a b/.dependencies/python']],
    ['node', ['--require', '/ours/node.cjs', request.mainFile]],
    ['typescript', ['--enable-source-maps', '--require', '/ours/node.cjs', request.mainFile]],
    ['bash', [request.mainFile]],
    ['ruby', ['-r', '/ours/ruby.rb', request.mainFile]],
  ] as const)('starts %s with its loader', ([language, words], { expect }) => {
    expect(toLoaderCommand({ ...request, language }).command).toEqual([request.program, ...words]);
  });

  test('points package managers at the plugin, and Bash at its loader', ({ expect }) => {
    const environmentOf = (language: (typeof LANGUAGES)[number]) => toLoaderCommand({ ...request, language }).environment;
    expect(environmentOf('bash')).toEqual({ BASH_ENV: '/ours/bash.sh' });
    expect(environmentOf('ruby')).toEqual({ GEM_HOME: '/plugins/a b/.dependencies/ruby' });
    expect(environmentOf('typescript')).toEqual({ NODE_PATH: '/plugins/a b/node_modules' });
    expect(environmentOf('python')).toMatchObject({ PYTHONPATH: '/plugins/a b/.dependencies/python' });
  });
});
