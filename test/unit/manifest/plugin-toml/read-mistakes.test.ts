import { describe, expect, test } from 'vitest';

import { ONE_COMMAND, PLAIN, problemsOf, readDirectory, readToml, writeFiles } from '../../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const NAME_WANTED = 'wanted 1 to 64 letters, digits, "_", "-" or single dots between them, beginning with a letter or digit';
const PATH_WANTED = 'wanted a relative path inside the plugin directory, with "/" between its parts and no ".."';
const HIDDEN_WANTED = 'wanted text without control characters, direction overrides and invisible characters';
const without = (key: string): string => PLAIN.replace(new RegExp(`^${key} = .*\n`, 'm'), '');
const changed = (key: string, value: string): string => PLAIN.replace(new RegExp(`^${key} = .*$`, 'm'), `${key} = ${value}`);

describe('readPluginToml() names every mistake', () => {
  test.for<[title: string, toml: string, problems: string[]]>([
    [
      'no TOML',
      `${PLAIN}x = \n`,
      [
        'PLUGIN.toml:6: cannot be read at column 5: Unexpected character, expecting string, number, datetime, boolean, inline array or inline table',
      ],
    ],
    ['a key twice', `${PLAIN}name = "x"\n`, ["PLUGIN.toml:6: cannot be read at column 11: Can't redefine existing key"]],
    ['no plugin table', ONE_COMMAND, ['PLUGIN.toml: plugin is missing: wanted a [plugin] table with name, version and description']],
    ['plugin tables', '[[plugin]]\n', ['PLUGIN.toml:1: plugin is a list of 1: wanted a [plugin] table with name, version and description']],
    ['no name', without('name'), [`PLUGIN.toml:1: plugin.name is missing: ${NAME_WANTED}`]],
    ['no version', without('version'), ['PLUGIN.toml:1: plugin.version is missing: wanted a string such as "1.2.3"']],
    ['a number as version', changed('version', '1.0'), ['PLUGIN.toml:3: plugin.version is the number 1: wanted a string such as "1.2.3"']],
    [
      'a date as version',
      changed('version', '2026-01-02'),
      ['PLUGIN.toml:3: plugin.version is a date or time without quotes: wanted a string such as "1.2.3"'],
    ],
    [
      'an integer past 2^53 as version',
      changed('version', '9007199254740993'),
      ['PLUGIN.toml:3: plugin.version is an integer beyond 2^53: wanted a string such as "1.2.3"'],
    ],
    ['an empty version', changed('version', '""'), ['PLUGIN.toml:3: plugin.version is "": wanted a version such as "1.2.3"']],
    ['no description', without('description'), ['PLUGIN.toml:1: plugin.description is missing: wanted a string']],
    ['a terminal escape', changed('description', '"\\u001b[2J"'), [`PLUGIN.toml:4: plugin.description is "\\u001b[2J": ${HIDDEN_WANTED}`]],
    [
      'tag characters that only models read',
      changed('description', '"a\\U000E0041"'),
      [`PLUGIN.toml:4: plugin.description is "a\\u{e0041}": ${HIDDEN_WANTED}`],
    ],
    [
      'a long description',
      changed('description', `"${'a'.repeat(4_097)}"`),
      [`PLUGIN.toml:4: plugin.description is "${'a'.repeat(80)}…": wanted at most 4096 characters`],
    ],
    ['a name that climbs', changed('name', '"../../x"'), [`PLUGIN.toml:2: plugin.name is "../../x": ${NAME_WANTED}`]],
    [
      'another runtime',
      `${PLAIN}runtime = "host_supervised"\n`,
      ['PLUGIN.toml:6: plugin.runtime is "host_supervised": wanted "wasm", or for scripts python, node, typescript, bash or ruby'],
    ],
    ['a module outside', changed('wasm_path', '"../x.wasm"'), [`PLUGIN.toml:5: plugin.wasm_path is "../x.wasm": ${PATH_WANTED}`]],
    ['an absolute module', changed('wasm_path', '"/x.wasm"'), [`PLUGIN.toml:5: plugin.wasm_path is "/x.wasm": ${PATH_WANTED}`]],
    [
      'an unknown permission',
      `${PLAIN}permissions = ["file_raed"]\n`,
      ['PLUGIN.toml:6: plugin.permissions[0] is "file_raed": wanted one of file_read, file_write, shell, network'],
    ],
    [
      'permissions as a string',
      `${PLAIN}permissions = "shell"\n`,
      ['PLUGIN.toml:6: plugin.permissions is "shell": wanted a list of file_read, file_write, shell, network'],
    ],
    ['keywords as a string', `${PLAIN}keywords = "x"\n`, ['PLUGIN.toml:6: plugin.keywords is "x": wanted a list of strings']],
    [
      'a network table that is none',
      `${PLAIN}network = true\n`,
      ['PLUGIN.toml:6: plugin.network is true: wanted a table with policy and allowed_hosts'],
    ],
    [
      'a policy that is no string',
      `${PLAIN}[plugin.network]\npolicy = 1\n`,
      ['PLUGIN.toml:7: plugin.network.policy is the number 1: wanted deny, allow_egress or allow_egress_filtered'],
    ],
    [
      'a host with a scheme',
      `${PLAIN}[plugin.network]\nallowed_hosts = [\n  "a.test",\n  "https://b.test",\n]\n`,
      [
        'PLUGIN.toml:9: plugin.network.allowed_hosts[1] is "https://b.test": wanted a host name such as "api.slack.com", without scheme, port, path or "*" (subdomains are included)',
      ],
    ],
    [
      'a limit past its cap',
      `${PLAIN}[plugin.limits]\ntimeout = 601\n`,
      ['PLUGIN.toml:7: plugin.limits.timeout is the number 601: wanted a number from 0.1 to 600'],
    ],
    [
      'a limit that is not whole',
      `${PLAIN}[plugin.limits]\nmemory_mb = 1.5\n`,
      ['PLUGIN.toml:7: plugin.limits.memory_mb is the number 1.5: wanted a whole number from 1 to 512'],
    ],
    [
      'a limit that is no number at all',
      `${PLAIN}[plugin.limits]\ntimeout = nan\nconcurrency = inf\n`,
      [
        'PLUGIN.toml:7: plugin.limits.timeout is the number NaN: wanted a number from 0.1 to 600',
        'PLUGIN.toml:8: plugin.limits.concurrency is the number Infinity: wanted a whole number from 1 to 64',
      ],
    ],
    [
      'commands that are no list',
      `commands = "go"\n${PLAIN}`,
      ['PLUGIN.toml:1: commands is "go": wanted a list of tables, written [[commands]]'],
    ],
    [
      'a command that is no table',
      `commands = ["go"]\n${PLAIN}`,
      ['PLUGIN.toml:1: commands[0] is "go": wanted a table with name and description'],
    ],
    [
      'a command without anything',
      `${PLAIN}${ONE_COMMAND}[[commands]]\n`,
      [
        `PLUGIN.toml:10: commands[1].name is missing: ${NAME_WANTED}`,
        'PLUGIN.toml:10: commands[1].description is missing: wanted a string',
      ],
    ],
    [
      'a command twice',
      `${PLAIN}${ONE_COMMAND}${ONE_COMMAND}`,
      ['PLUGIN.toml:12: commands[1].name is "go", which commands[0] has already: wanted a name of its own'],
    ],
    [
      'too many commands',
      `commands = [${'0,'.repeat(257)}]\n${PLAIN}`,
      ['PLUGIN.toml:1: commands is a list of 257: wanted at most 256 commands'],
    ],
    [
      'a command with more than its plugin',
      `${PLAIN}permissions = ["file_read"]\n${ONE_COMMAND}permissions = ["file_read", "shell"]\n`,
      ['PLUGIN.toml:11: commands[0].permissions[1] is "shell", which the plugin does not have: wanted some of its own (file_read)'],
    ],
    [
      'a hint that the permissions contradict',
      `${PLAIN}${ONE_COMMAND}read_only = true\n`,
      ['PLUGIN.toml:10: commands[0].read_only is true, but the command may write: wanted permissions without file_write beside it'],
    ],
    [
      'hints that contradict each other',
      `${PLAIN}permissions = []\n${ONE_COMMAND}read_only = true\ndestructive = true\n`,
      ['PLUGIN.toml:12: commands[0].destructive is true beside read_only: wanted one of them'],
    ],
    [
      'a hint that is no boolean',
      `${PLAIN}${ONE_COMMAND}idempotent = 1\n`,
      ['PLUGIN.toml:10: commands[0].idempotent is the number 1: wanted true or false'],
    ],
  ])('%s', ([, toml, problems], { expect }) => {
    expect(problemsOf(readToml(useTmp(), toml))).toEqual(problems);
  });
});

test('readPluginToml() finds mistakes in all parts at once and still gives the name', () => {
  const toml = `${without('version')}permissions = ["file_read"]\n${ONE_COMMAND}permissions = ["shell"]\n`.replace(
    'plain.wasm',
    'gone.wasm',
  );
  const directory = writeFiles(useTmp(), { 'PLUGIN.toml': toml });
  const reading = readDirectory(directory);
  expect(reading).toMatchObject({ ok: false, name: 'plain' });
  expect(problemsOf(reading)).toEqual([
    'PLUGIN.toml:1: plugin.version is missing: wanted a string such as "1.2.3"',
    'PLUGIN.toml:10: commands[0].permissions[0] is "shell", which the plugin does not have: wanted some of its own (file_read)',
    'PLUGIN.toml:4: plugin.wasm_path is "gone.wasm", which does not exist: wanted the built module there, or a .wasm file beside the manifest',
  ]);
});

test('readPluginToml() keeps an unsafe name to itself', () => {
  expect(readToml(useTmp(), changed('name', '"../x"'))).not.toHaveProperty('name');
});
