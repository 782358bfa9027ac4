import { describe, expect, test } from 'vitest';

import { ONE_COMMAND, PLAIN, pluginOf, problemsOf, readToml, warningsOf } from '../../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const changed = (key: string, value: string): string => PLAIN.replace(new RegExp(`^${key} = .*$`, 'm'), `${key} = ${value}`);

describe('readPluginToml() warns and goes on', () => {
  test.for<[title: string, toml: string, warnings: string[]]>([
    ['no commands', PLAIN, ['PLUGIN.toml: has no commands: wanted [[commands]] tables, for every command becomes a tool']],
    [
      'an empty list of commands',
      `commands = []\n${PLAIN}`,
      ['PLUGIN.toml: has no commands: wanted [[commands]] tables, for every command becomes a tool'],
    ],
    [
      'a version of another kind',
      changed('version', '"v1"') + ONE_COMMAND,
      ['PLUGIN.toml:3: plugin.version is "v1": wanted a semantic version such as "1.2.3"'],
    ],
    [
      'a misspelt key',
      `${PLAIN}permisions = []\n${ONE_COMMAND}`,
      ['PLUGIN.toml:6: plugin.permisions is unknown and not used: did you mean "permissions"?'],
    ],
    ['a key that is like none', `${PLAIN}zzz = 2026-01-01\n${ONE_COMMAND}`, ['PLUGIN.toml:6: plugin.zzz is unknown and not used']],
    [
      'a plugin’s key at the top',
      `keywords = ["x"]\n${PLAIN}${ONE_COMMAND}`,
      ['PLUGIN.toml:1: keywords stands above [plugin] and is not used: wanted it in the table [plugin]'],
    ],
    [
      'a misspelt table',
      `${PLAIN}${ONE_COMMAND}[[command]]\n`,
      ['PLUGIN.toml:10: command is unknown and not used: did you mean "commands"?'],
    ],
    [
      'commands in the plugin table',
      `${PLAIN}[[plugin.commands]]\nname = "x"\n${ONE_COMMAND}`,
      ['PLUGIN.toml:6: plugin.commands is not used there: wanted [[commands]] outside of [plugin]'],
    ],
    [
      'misspelt keys everywhere',
      `${PLAIN}[plugin.network]\npolcy = 1\n[plugin.limits]\ntime_out = 1\n${ONE_COMMAND}desc = "x"\ninput = { a = { type = "string", defualt = "x" } }\n`,
      [
        'PLUGIN.toml:9: plugin.limits.time_out is unknown and not used: did you mean "timeout"?',
        'PLUGIN.toml:14: commands[0].desc is unknown and not used',
        'PLUGIN.toml:15: commands[0].input.a.defualt is unknown and not used: did you mean "default"?',
        'PLUGIN.toml:7: plugin.network.polcy is unknown and not used: did you mean "policy"?',
      ],
    ],
    [
      'an empty description',
      `${PLAIN}${ONE_COMMAND.replace('Goes', ' ')}`,
      ['PLUGIN.toml:9: commands[0].description is empty: wanted what the command does, for the model reads it'],
    ],
  ])('%s', ([, toml, warnings], { expect }) => {
    const reading = readToml(useTmp(), toml);
    expect(problemsOf(reading)).toEqual([]);
    expect(warningsOf(reading)).toEqual(warnings);
  });
});

test('readPluginToml() stops counting findings at a hundred', () => {
  const keys = Array.from({ length: 5_000 }, (_, index) => `zzz${index} = 1\n`).join('');
  expect(pluginOf(readToml(useTmp(), `${PLAIN}${keys}${ONE_COMMAND}`)).warnings).toHaveLength(100);
});
