import { expect, test } from 'vitest';

import { resolveTarget } from '../../../../src/executors/egress/resolve.ts';
import { parseTarget } from '../../../../src/executors/egress/target.ts';

const TARGET = parseTarget('http://api.test/');

test('resolveTarget() asks once, keeps the order and drops doubles', async () => {
  let asked = 0;
  const lookup = (host: string) => {
    asked += 1;
    expect(host).toBe('api.test');
    return Promise.resolve(['2001:db8::1', '192.0.2.1', '192.0.2.1']);
  };
  expect(await resolveTarget(TARGET, lookup)).toEqual(['2001:db8::1', '192.0.2.1']);
  expect(asked).toBe(1);
});

test('resolveTarget() resolves no literal', async () => {
  const lookup = () => Promise.reject(new Error('must not be asked'));
  expect(await resolveTarget(parseTarget('http://0x7f.1/'), lookup)).toEqual(['127.0.0.1']);
  expect(await resolveTarget(parseTarget('http://[::1]/'), lookup)).toEqual(['::1']);
});

test.for([
  [[], 'the host "api.test" has no address'],
  [['fe80::1%eth0'], 'the host "api.test" resolves to something that is no plain address'],
  [['192.0.2.1', 'localhost'], 'the host "api.test" resolves to something that is no plain address'],
  [Array.from({ length: 33 }, (_, index) => `192.0.2.${index}`), 'the host "api.test" has more than 32 addresses'],
] as const)('resolveTarget() refuses the answer %j', async ([answer, message]) => {
  await expect(resolveTarget(TARGET, () => Promise.resolve(answer))).rejects.toMatchObject({ why: 'unresolved', message });
});

test('resolveTarget() says why a name has no address', async () => {
  const lookup = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
  await expect(resolveTarget(TARGET, lookup)).rejects.toMatchObject({ message: 'the host "api.test" has no address (ENOTFOUND)' });
});
