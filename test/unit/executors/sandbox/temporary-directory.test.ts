import { existsSync, mkdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { test } from 'vitest';

import { makeTemporaryDirectory, sweepTemporaryDirectories } from '../../../../src/executors/sandbox/temporary-directory.ts';
import { useTmp } from '../../../helpers/tmp.ts';

test.skipIf(process.platform !== 'linux')('sweepTemporaryDirectories() removes those of dead servers alone', ({ expect }) => {
  const tmp = useTmp();
  const own = makeTemporaryDirectory(tmp);
  expect(statSync(own).mode & 0o777).toBe(0o700);
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0];
  const place = (name: string): string => {
    mkdirSync(join(tmp, name, 'deep'), { recursive: true });
    writeFileSync(join(tmp, name, 'deep/file'), '');
    return join(tmp, name);
  };
  const dead = place(`plugbridge-4194305.1.${namespace}-abcDEF`);
  const kept = [
    own,
    place('plugbridge-4194305.1.1-abcDEF'),
    place(`plugbridge-4194305.1.${namespace}-abc`),
    place(`x-plugbridge-4194305.1.${namespace}-abcDEF`),
    place('plugbridge-abcDEF'),
  ];
  symlinkSync(own, join(tmp, `plugbridge-4194305.2.${namespace}-abcDEF`));
  sweepTemporaryDirectories(tmp);
  expect(existsSync(dead)).toBe(false);
  expect(kept.filter((path) => !existsSync(path))).toEqual([]);
  sweepTemporaryDirectories(join(tmp, 'absent'));
});
