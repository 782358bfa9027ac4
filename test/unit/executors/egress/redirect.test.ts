import { expect, test } from 'vitest';

import type { Method } from '../../../../src/executors/egress/headers.ts';
import { type Hop, nextHop } from '../../../../src/executors/egress/redirect.ts';
import { parseTarget } from '../../../../src/executors/egress/target.ts';

const HEADERS = { authorization: 'Bearer x', cookie: 'a=b', 'content-type': 'text/plain', 'x-other': '1' };
const hopOf = (method: Method, body = ''): Hop => ({
  target: parseTarget('https://api.test/a/b'),
  method,
  headers: new Map(Object.entries(HEADERS)),
  body,
});

test.for([
  [301, 'GET', '', 'GET', ''],
  [301, 'POST', 'x', 'GET', ''],
  [302, 'POST', 'x', 'GET', ''],
  [302, 'PUT', 'x', 'PUT', 'x'],
  [303, 'PUT', 'x', 'GET', ''],
  [303, 'HEAD', '', 'HEAD', ''],
  [307, 'POST', 'x', 'POST', 'x'],
  [308, 'PATCH', 'x', 'PATCH', 'x'],
] as const)('nextHop() turns %i for %s with body %j into %s with %j', ([status, method, body, nextMethod, nextBody]) => {
  const next = nextHop(hopOf(method, body), { status, location: '../c' });
  expect(next).toMatchObject({ method: nextMethod, body: nextBody });
  expect(next?.target.path).toBe('/c');
  expect(next?.headers.has('content-type')).toBe(nextBody !== '' || body === '');
  expect(next?.headers.get('authorization')).toBe('Bearer x');
});

test.for([
  ['https://other.test/', false],
  ['https://api.test:8443/', false],
  ['http://api.test/', false],
  ['//api.test/x', true],
  ['https://API.test:443/x', true],
] as const)('nextHop() to %s keeps credentials: %j', ([location, keeps]) => {
  const next = nextHop(hopOf('GET'), { status: 302, location });
  expect([next?.headers.has('authorization'), next?.headers.has('cookie'), next?.headers.has('x-other')]).toEqual([keeps, keeps, true]);
});

test.for([
  [200, '/x'],
  [304, '/x'],
  [300, '/x'],
  [302, undefined],
] as const)('nextHop() stays at %i with location %j', ([status, location]) => {
  expect(nextHop(hopOf('GET'), { status, location })).toBeUndefined();
});

test.for([
  ['file:///etc/passwd', 'its scheme is "file:", http or https is wanted'],
  ['https://user:pass@api.test/', 'it holds a user or password'],
  ['javascript:alert(1)', 'its scheme is "javascript:", http or https is wanted'],
] as const)('nextHop() refuses the location %s', ([location, reason]) => {
  const message = `it redirects to a URL that can't be requested: ${reason}`;
  expect(() => nextHop(hopOf('GET'), { status: 302, location })).toThrow(expect.objectContaining({ why: 'bad-url', message }));
});
