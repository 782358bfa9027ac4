import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { problemsOf, readDirectory, warningsOf, writeFiles } from '../../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const write = (members: string, files: Readonly<Record<string, string>> = { 'main.py': '' }): string =>
  writeFiles(useTmp(), { 'plugin.json': `{\n"name": "plain",\n${members}\n}`, ...files });
const NAME_WANTED = '1 to 64 letters, digits, "_", "-" or single dots between them, beginning with a letter or digit';

describe('readSidecar() names', () => {
  test.for<[title: string, members: string, problems: readonly string[]]>([
    ['what is no JSON', '"parameters": [', ['plugin.json:4: cannot be read at column 1: value expected']],
    ['a comment', '"parameters": [] // none', ['plugin.json:3: cannot be read at column 18: invalid comment token']],
    ['a name that climbs', '"name": "../x", "parameters": []', [`plugin.json:2: name is "../x": wanted ${NAME_WANTED}`]],
    ['a description that is none', '"description": 5', ['plugin.json:3: description is the number 5: wanted a string']],
    ['another language', '"language": "perl"', ['plugin.json:3: language is "perl": wanted one of python, node, typescript, bash, ruby']],
    [
      'a language that the script has not',
      '"main": "main.py",\n"language": "ruby", "parameters": []',
      ['plugin.json:4: language is "ruby", but "main.py" is python by its name: wanted them to agree'],
    ],
    [
      'a script that is not there',
      '"main": "gone.py", "parameters": []',
      ['plugin.json:3: main is "gone.py", which cannot be used: it does not exist'],
    ],
    [
      'a script outside',
      '"main": "../x.py"',
      [
        'plugin.json:3: main is "../x.py": wanted the script, a relative path inside the plugin directory, with "/" between its parts and no ".."',
      ],
    ],
    ['a timeout of an hour', '"timeout": 3600', ['plugin.json:3: timeout is the number 3600: wanted a number from 0.1 to 600']],
    ['a timeout in words', '"timeout": "60"', ['plugin.json:3: timeout is "60": wanted a number from 0.1 to 600']],
    [
      'a timeout twice',
      '"timeout": 5,\n"limits": { "timeout": 6 }, "parameters": []',
      ['plugin.json:4: limits.timeout stands beside timeout: wanted one of them'],
    ],
    ['enabled in words', '"enabled": "yes"', ['plugin.json:3: enabled is "yes": wanted true or false']],
    ['another input', '"input": "file"', ['plugin.json:3: input is "file": wanted "stdin", "argv" or "both"']],
    [
      'a permission that scripts have not',
      '"permissions": ["file_read", "shell"]',
      ['plugin.json:3: permissions[1] is "shell": wanted one of file_read, file_write, network; the programs of the sandbox need none'],
    ],
    [
      'capabilities that are none',
      '"capabilities": ["read:fs:docs", "run:script", "env:A B", "net:x", "exec:git"]',
      ['read:fs:docs', 'run:script', 'env:A B', 'net:x', 'exec:git'].map(
        (found, index) =>
          `plugin.json:3: capabilities[${index}] is "${found}": wanted a capability: read:fs:<path>, write:fs:<path> (from $ROOT or absolute), net:<host>:<port>, net:* or env:<NAME>`,
      ),
    ],
    [
      'a package that is an option',
      '"dependencies": ["--index-url=http://x"]',
      [
        'plugin.json:3: dependencies[0] is "--index-url=http://x": wanted a package as its package manager spells it, such as "requests==2.32.3"; options are not taken',
      ],
    ],
    [
      'parameters that are none',
      '"parameters": 5',
      ['plugin.json:3: parameters is the number 5: wanted a list of parameters or a JSON Schema'],
    ],
    [
      'a parameter without a name',
      '"parameters": [{ "type": "string" }]',
      ['plugin.json:3: parameters[0].name is missing: wanted the name of the argument'],
    ],
    [
      'a parameter without a type',
      '"parameters": [\n{ "name": "a" }]',
      [
        'plugin.json:4: parameters[0].type is missing: wanted string, integer, number, boolean, object, array, one of them with "[]" for a list, and "?" at the end for an optional parameter',
      ],
    ],
    [
      'a parameter of another type',
      '"parameters": [{ "name": "a", "type": "date" }]',
      [
        'plugin.json:3: parameters[0].type is "date": wanted string, integer, number, boolean, object, array, one of them with "[]" for a list, and "?" at the end for an optional parameter',
      ],
    ],
    [
      'a default of another type',
      '"parameters": [{ "name": "a", "type": "integer", "default": "x" }]',
      ['plugin.json:3: parameters[0].default is "x": wanted a value of the type integer'],
    ],
    [
      'required in words',
      '"parameters": [{ "name": "a", "type": "string", "required": "true" }]',
      ['plugin.json:3: parameters[0].required is "true": wanted true or false'],
    ],
    [
      'a name twice',
      '"parameters": [{ "name": "a", "type": "string" },\n{ "name": "a", "type": "string" }]',
      ['plugin.json:4: parameters[1].name is "a", which parameters[0] has already: wanted a name of its own'],
    ],
    [
      'a name that objects cannot hold',
      '"parameters": [{ "name": "__proto__", "type": "string" }]',
      ['plugin.json:3: parameters[0].name is a key that objects cannot hold: wanted another name'],
    ],
    [
      'a name with spaces',
      '"parameters": [{ "name": "a b", "type": "string" }]',
      [
        'plugin.json:3: parameters[0].name is no name for a parameter: wanted 1 to 64 letters, digits, "_" or "-", beginning with a letter or "_"',
      ],
    ],
    [
      'too many parameters',
      `"parameters": [${Array.from({ length: 65 }, (_, index) => `{ "name": "p${index}", "type": "string" }`).join(', ')}]`,
      ['plugin.json:3: parameters has 65 parameters: wanted at most 64'],
    ],
    ['parameters and a schema', '"parameters": [], "schema": {}', ['plugin.json:3: schema stands beside parameters: wanted one of them']],
    ['a schema that is none', '"schema": []', ['plugin.json:3: schema is a list of 0: wanted a JSON Schema']],
    [
      'parameters and commands',
      '"parameters": [],\n"commands": [{ "name": "a", "description": "b" }]',
      ['plugin.json:3: parameters stands beside commands: wanted it in each of them'],
    ],
    ['no commands', '"commands": []', ['plugin.json:3: commands is a list of 0: wanted at least one command, or parameters in its place']],
    [
      'a command that has more than its plugin',
      '"commands": [{ "name": "a", "description": "b", "permissions": ["file_read"], "capabilities": ["env:A"] }]',
      [
        'plugin.json:3: commands[0].permissions[0] is "file_read", which the plugin does not have: wanted some of its own (none)',
        'plugin.json:3: commands[0].capabilities[0] is "env:A", which the plugin does not have: wanted some of its own capabilities',
      ],
    ],
    [
      'read_only beside writing',
      '"permissions": ["file_write"], "read_only": true, "parameters": []',
      ['plugin.json:3: read_only is true, but the command may write: wanted permissions without file_write beside it'],
    ],
  ])('%s', ([, members, problems], { expect }) => {
    expect(problemsOf(readDirectory(write(members)))).toEqual(problems);
  });

  test('a sidecar that is no object', ({ expect }) => {
    const directory = writeFiles(useTmp(), { 'plugin.json': '[]', 'main.py': '' });
    expect(problemsOf(readDirectory(directory))).toEqual([
      'plugin.json:1: is a list of 0: wanted an object with name, description and parameters',
    ]);
  });

  test('a sidecar that is too large', ({ expect }) => {
    const directory = writeFiles(useTmp(), { 'plugin.json': ' '.repeat(300_000), 'main.py': '' });
    expect(problemsOf(readDirectory(directory))).toEqual(['plugin.json: cannot be read: it has 300000 bytes, more than 262144']);
  });

  test('several scripts without one that is named', ({ expect }) => {
    const files = { 'a.py': '', 'b.py': '' };
    expect(problemsOf(readDirectory(write('"parameters": []', files)))).toEqual([
      'plugin.json: main is missing, and 2 scripts lie beside the manifest: wanted the script, such as "main.py"',
    ]);
  });

  test('a script that is a directory', ({ expect }) => {
    const directory = write('"main": "lib", "language": "python", "parameters": []', { 'lib/x.py': '' });
    expect(problemsOf(readDirectory(directory))).toEqual(['plugin.json:3: main is "lib", which cannot be used: it is not a regular file']);
  });

  test('what no plugin can have in its directory', ({ expect }) => {
    const directory = write('"parameters": []');
    symlinkSync('/etc/hosts', join(directory, 'hosts'));
    expect(problemsOf(readDirectory(directory))).toEqual([
      'plugin.json: lies in a directory with "hosts", which no plugin can have: it is a symbolic link that leads out of the plugin directory',
    ]);
  });

  test('a directory that no plugin can be', ({ expect }) => {
    const directory = write('"parameters": []', { 'main.py': '', [`${'d/'.repeat(33)}x`]: '' });
    expect(problemsOf(readDirectory(directory))).toEqual([
      `plugin.json: lies in a directory with "${'d/'.repeat(32)}d", which no plugin can have: directories are nested deeper than 32`,
    ]);
  });

  test('a script that is left out of the digest', ({ expect }) => {
    const directory = write('"main": ".git/x.py", "parameters": []', { '.git/x.py': '' });
    mkdirSync(join(directory, 'lib'));
    expect(problemsOf(readDirectory(directory))).toEqual([
      'plugin.json:3: main is ".git/x.py", which is no part of the plugin: wanted a file that no editor or version control left',
    ]);
  });
});

test('readSidecar() warns of keys that nothing reads, and of odd versions', () => {
  const reading = readDirectory(
    write('"parametres": [],\n"version": "one",\n"author": "me", "parameters": [{ "name": "a", "type": "string", "desc": "x" }]'),
  );
  expect(warningsOf(reading)).toEqual([
    'plugin.json:3: parametres is unknown and not used: did you mean "parameters"?',
    'plugin.json:5: author is unknown and not used',
    'plugin.json:5: parameters[0].desc is unknown and not used',
    'plugin.json:4: version is "one": wanted a semantic version such as "1.2.3"',
  ]);
});
