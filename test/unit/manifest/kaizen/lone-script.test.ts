import { describe, expect, test } from 'vitest';

import { tryRecognise } from '../../../../src/manifest/formats.ts';
import { findScript, languageOf } from '../../../../src/manifest/kaizen/find-script.ts';
import { readLeadingComment } from '../../../../src/manifest/kaizen/leading-comment.ts';
import { PluginSchema, SCRIPT_LIMITS, type Language } from '../../../../src/manifest/plugin.ts';
import { pluginOf, problemsOf, readDirectory, writeFiles } from '../../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../../helpers/tmp.ts';

test('readLoneScript() makes a plugin of a directory and its script', () => {
  const base = writeFiles(useTmp(), { 'word-count/word-count.rb': '# Counts words.\nputs 1\n', 'word-count/lib.rb': '' });
  const plugin = pluginOf(readDirectory(`${base}/word-count`));
  expect(PluginSchema.parse(plugin)).toEqual(plugin);
  expect(plugin).toMatchObject({
    system: 'kaizen',
    name: 'word-count',
    version: '0.0.0',
    description: 'Counts words.',
    manifestFile: 'word-count.rb',
    runtime: { kind: 'script', language: 'ruby', main: 'word-count.rb', input: 'stdin', dependencies: [] },
    requests: [],
    commands: [{ name: 'run', description: 'Counts words.', inputSchema: { type: 'object' } }],
    enabled: true,
    limits: SCRIPT_LIMITS,
    warnings: [],
  });
  expect(Object.keys(plugin.files)).toEqual(['lib.rb', 'word-count.rb']);
});

test('readLoneScript() refuses a directory whose name is none for a plugin, and a script that is no file', () => {
  const base = writeFiles(useTmp(), { 'a b/main.py': '', 'dir/main.py/x': '' });
  expect(problemsOf(readDirectory(`${base}/a b`))).toEqual([
    'main.py: lies in "a b", which is no name for a plugin: wanted another directory, or a plugin.json with a name',
  ]);
  expect(problemsOf(readDirectory(`${base}/dir`))).toEqual([
    'main.py: has the script "main.py", which cannot be used: it is not a regular file',
  ]);
});

describe('findScript() runs', () => {
  test.for<[names: readonly string[], main: string | undefined]>([
    [['only.sh'], 'only.sh'],
    [['README.md', 'only.mts', 'types.d.ts'], 'only.mts'],
    [['a.py', 'b.py'], undefined],
    [['index.js', 'main.py', 'plugin.rb', 'tool.sh'], 'tool.sh'],
    [['index.js', 'main.py', 'plugin.rb'], 'main.py'],
    [['index.js', 'plugin.py'], 'index.js'],
    [['plugin.rb', 'x.rb'], 'plugin.rb'],
    [['main.sh', 'main.py'], 'main.py'],
    [['.main.py'], undefined],
    [['main.d.ts'], undefined],
    [['main.txt', 'main'], undefined],
    [[], undefined],
  ])('of %j: %s', ([names, main], { expect }) => {
    expect(findScript({ directory: '/plugins/tool', names }).main).toBe(main);
  });
});

describe('tryRecognise() of a directory without a manifest', () => {
  test.for<[names: readonly string[], manifestFile: string | undefined]>([
    [['x.py'], 'x.py'],
    [['package.json', 'x.js'], undefined],
    [['package.json', 'index.js'], 'index.js'],
    [['Gemfile', 'tool.rb'], 'tool.rb'],
    [['.git', 'x.py'], undefined],
    [['kaged-plugin.yaml', 'index.ts'], undefined],
    [['manifest.json', 'main.js'], undefined],
  ])('%j: %s', ([names, manifestFile], { expect }) => {
    expect(tryRecognise({ directory: '/plugins/tool', names })?.manifestFile).toBe(manifestFile);
  });
});

test.for([
  ['{"name": "x"}', ['main.py'], true],
  ['{"language": "python"}', [], true],
  ['{"main": "x.py"}', [], true],
  ['{"main": "index.html"}', [], false],
  ['{"name": "x"}', [], false],
  ['{}', ['main.py'], false],
  ['{"id": "x", "type": "app"}', ['main.js'], false],
  ['{', ['main.py'], true],
  ['{', [], false],
  ['[]', ['main.py'], true],
] as const)('tryRecognise() of the plugin.json %s beside %j: %s', ([text, scripts, isOurs]) => {
  const directory = writeFiles(useTmp(), { 'plugin.json': text });
  expect(tryRecognise({ directory, names: [...scripts, 'plugin.json'] })?.system).toBe(isOurs ? 'kaizen' : undefined);
});

test('languageOf() knows the extensions of the page, and only those', () => {
  const names = ['a.py', 'a.js', 'a.mjs', 'a.cjs', 'a.ts', 'a.mts', 'a.sh', 'a.rb', 'a.PY', 'a.toString', 'py', '.py', 'a.d.mts'];
  expect(names.map(languageOf)).toEqual([
    'python',
    'node',
    'node',
    'node',
    'typescript',
    'typescript',
    'bash',
    'ruby',
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

describe('readLeadingComment() reads', () => {
  test.for<[language: Language, script: string, comment: string | undefined]>([
    [
      'python',
      '#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n\n"""Draws a chart\nof a table.\n\nMore of it.\n"""\n',
      'Draws a chart of a table.',
    ],
    ['python', "'''One.'''\n", 'One.'],
    ['python', '# Comment first.\n"""Docstring."""\n', 'Comment first.'],
    ['python', 'x = 1\n"""Not this."""\n', undefined],
    ['python', '"""Never closed', undefined],
    ['node', "#!/usr/bin/env node\n'use strict';\n\n// Counts\n// words.\n//\n// More.\n", 'Counts words.'],
    ['node', '/**\n * Counts words.\n *\n * @param x\n */\n', 'Counts words.'],
    ['typescript', '/* eslint-disable */\n', undefined],
    ['typescript', '// @ts-nocheck\n// Tidies.\n', 'Tidies.'],
    ['bash', '#!/bin/bash\n# shellcheck disable=SC1090\n#\n# Scans logs.\nset -eu\n# Not this.\n', 'Scans logs.'],
    ['ruby', '# frozen_string_literal: true\n\n=begin\nTurns HTML\n=end\n', 'Turns HTML'],
    ['ruby', '=begin\nTurns HTML\ninto text.\n=end\n', 'Turns HTML into text.'],
    ['python', '', undefined],
    ['python', '\uFEFF# After a byte order mark.\n', 'After a byte order mark.'],
    ['bash', '# Windows\r\n# lines.\r\n', 'Windows lines.'],
    ['bash', '# Steers \u001B[2J terminals.\n', undefined],
    ['bash', `# ${'x'.repeat(600)}\n`, `${'x'.repeat(499)}…`],
    ['python', '# SPDX-License-Identifier: MIT\n# Copyright 2026 Somebody\n\n# Does it.\n', 'Does it.'],
  ])('of %s %j: %s', ([language, script, comment], { expect }) => {
    expect(readLeadingComment(Buffer.from(script), language)).toBe(comment);
  });

  test('bytes that are no text without an error', ({ expect }) => {
    expect(readLeadingComment(Uint8Array.of(0x23, 0xff, 0xfe, 0x0a), 'bash')).toBe('\uFFFD\uFFFD');
  });
});
