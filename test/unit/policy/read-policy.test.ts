import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { HostError } from '../../../src/errors.ts';
import { parseAgentZeroPolicy } from '../../../src/policy/parse-agentzero-policy.ts';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';
import { ABSENT_IN_FILE, DEFAULT_POLICY } from '../../../src/policy/policy.ts';
import { readPolicy } from '../../../src/policy/read-policy.ts';
import { useTmp } from '../../helpers/tmp.ts';

function useFiles(files: Record<string, string>): { root: string; userFile: string; at: (name: string) => string } {
  const directory = useTmp();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return { root: join(directory, 'root'), userFile: join(directory, 'config/policy.toml'), at: (name) => join(directory, name) };
}

test('readPolicy() without any file gives the defaults', () => {
  const { root, userFile } = useFiles({});
  expect(readPolicy({ root, userFile })).toEqual(DEFAULT_POLICY);
});

test('readPolicy() reads the person’s file, and --policy instead of it', () => {
  const files = useFiles({
    'config/policy.toml': 'network = "allow"',
    'other.toml': 'network = "deny"\n[[rule]]\nhost = "*.test"\neffect = "allow"',
  });
  expect(readPolicy(files).base).toMatchObject({ file: files.userFile, keys: { network: 'allow' }, absent: ABSENT_IN_FILE });
  const policyFile = files.at('other.toml');
  expect(readPolicy({ ...files, policyFile }).base).toMatchObject({
    file: policyFile,
    keys: { network: 'deny' },
    rules: [{ host: '*.test', effect: 'allow' }],
  });
});

test('readPolicy() adds what the workspace brings only as tightening layers', () => {
  const files = useFiles({
    'root/.plugbridge/policy.toml': 'network = "allow"',
    'root/.agentzero/policy.yml': 'wasm_execution = "allow"\nfuture = 1',
  });
  const policy = readPolicy(files);
  expect(policy.base).toEqual(DEFAULT_POLICY.base);
  expect(policy.tightening).toMatchObject([
    { file: files.at('root/.plugbridge/policy.toml'), keys: { network: 'allow' } },
    { keys: { wasm_execution: 'allow' }, absent: ABSENT_IN_FILE, pluginsIn: files.at('root/.agentzero/plugins') },
  ]);
  expect(policy.warnings).toEqual([`"${files.at('root/.agentzero/policy.yml')}": the key "future" is unknown and ignored`]);
});

test('readPolicy() throws for a --policy file that is missing', () => {
  const files = useFiles({});
  expect(() => readPolicy({ ...files, policyFile: '/nowhere/p.toml' })).toThrow(
    'Cannot use the policy "/nowhere/p.toml": it does not exist',
  );
});

test('readPolicy() throws for what is no regular file, too large or not UTF-8', () => {
  const files = useFiles({ 'config/policy.toml': '# '.repeat(140_000) });
  expect(() => readPolicy(files)).toThrow('it has 280000 bytes, at most 262144 are allowed');
  expect(() => readPolicy({ ...files, policyFile: files.at('config') })).toThrow('it is not a regular file');
  symlinkSync('/dev/zero', files.at('zero'));
  expect(() => readPolicy({ ...files, policyFile: files.at('zero') })).toThrow('it is not a regular file');
  writeFileSync(files.userFile, Buffer.from([0xff, 0xfe]));
  expect(() => readPolicy(files)).toThrow(HostError);
});

test.for([
  [
    'network = = "deny"',
    'line 1: it is not valid TOML: Unexpected character, expecting string, number, datetime, boolean, inline array or inline table',
  ],
  ['\nnetwork = "perhaps"', 'line 2: network: Invalid option: expected one of "allow"|"require_approval"|"deny"'],
  ['file_wirte = "deny"', 'line 1: file_wirte: it is not a key of a policy'],
  ['version = 2', 'line 1: version: wanted is 1'],
  ['[[rule]]\neffect = "allow"\n\n[[rule]]\nhots = "x"\neffect = "deny"', 'line 5: rule[2].hots: it is not a key of a policy'],
  ['[[rule]]\nhost = "x"', 'line 1: rule[1].effect: Invalid option: expected one of "allow"|"require_approval"|"deny"'],
  [
    '[[rule]]\neffect = "deny"\npath = "docs"',
    'line 3: rule[1].path: wanted is a path that begins with "/", $ROOT, $PLUGIN, $DATA or $RUN',
  ],
  ['[[rule]]\neffect = "deny"\npath = "/x"\nhost = "y"', 'line 1: rule[1]: a rule has a path or a host, for nothing has both'],
  [
    '[[rule]]\neffect = "deny"\ncapability = "file_wirte"',
    'line 3: rule[1].capability: wanted is a policy key, one of read:fs, write:fs, exec, net, env, storage:read, storage:write, session:write, run, or a capability such as "exec:git"',
  ],
] as const)('parsePolicy() refuses %j', ([text, reason], { expect }) => {
  expect(() => parsePolicy(text, { file: 'p.toml', absent: ABSENT_IN_FILE })).toThrow(`Cannot use the policy "p.toml": ${reason}`);
});

test('parsePolicy() accepts the keys of AgentZero files', () => {
  const text = 'version = 1\ndefault_classification = "private"\nfile_read = "require_approval"\n[model_routing]\nlocal = true';
  expect(parsePolicy(text, { file: 'p.toml', absent: ABSENT_IN_FILE }).keys).toMatchObject({ file_read: 'require_approval' });
});

test('parsePolicy() and parseAgentZeroPolicy() throw nothing but HostError', () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom('network', '=', '"deny"', '\n', '[[rule]]', 'effect', ': ', '&a ', '*a', '- ', '{', '}'))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      for (const parse of [() => parsePolicy(input, { file: 'p', absent: ABSENT_IN_FILE }), () => parseAgentZeroPolicy(input, 'p')]) {
        try {
          parse();
        } catch (error) {
          expect(error).toBeInstanceOf(HostError);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test.for<[string, unknown]>([
  ['network = "deny"\nfile_read = "require_approval"', { network: 'deny', file_read: 'allow' }],
  ['network: deny\nfile_write: allow\n', { network: 'deny', file_write: 'allow' }],
  ['', {}],
])('parseAgentZeroPolicy() reads %j', ([text, keys], { expect }) => {
  expect(parseAgentZeroPolicy(text, 'policy.yml')).toEqual({ keys, warnings: [] });
});

test('parseAgentZeroPolicy() reports what it does not use and refuses what is no effect', () => {
  expect(parseAgentZeroPolicy('default_classification = "public"', 'p.yml').warnings).toEqual([
    '"p.yml": default_classification has no effect here; calls are always treated as private',
  ]);
  expect(() => parseAgentZeroPolicy('version = 1\nnetwork = "denied"', 'p.yml')).toThrow(
    'Cannot use the policy "p.yml": line 2: network: found "denied", wanted is "allow", "deny" or "require_approval"',
  );
  expect(() => parseAgentZeroPolicy('- a\n- b', 'p.yml')).toThrow('Cannot use the policy "p.yml": line 1: it is not valid TOML');
});
