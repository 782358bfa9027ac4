import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { serveMcpHttp } from '../../src/server/http.ts';
import { makeFixture } from '../helpers/mcp-fixture.ts';

const REVISION = '2026-07-28';

interface Answer {
  readonly result?: Record<string, unknown> & { resultType?: string; requestState?: string; content?: { text: string }[] };
  readonly error?: { code: number; message: string };
}

/** A client of the modern era by hand, which can do what a well-behaved one never would. */
async function openRaw(): Promise<(params: Record<string, unknown>) => Promise<Answer>> {
  const { servers, log } = makeFixture();
  const endpoint = await serveMcpHttp(servers, {
    address: { host: '127.0.0.1', port: 0 },
    token: undefined,
    log,
    limits: { graceMs: 100 },
  });
  onTestFinished(() => endpoint.close());
  return async (params) => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': REVISION,
      'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
    };
    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'MCP-Protocol-Version': REVISION,
        'Mcp-Method': 'tools/call',
        'Mcp-Name': String(params['name']),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta: meta } }),
    });
    const body = await response.text();
    const data =
      body
        .split('\n')
        .find((line) => line.startsWith('data: '))
        ?.slice(6) ?? body;
    return JSON.parse(data) as Answer;
  };
}

const APPROVE = { name: 'plugin_fixture_approve', arguments: { x: 1 } };
const accept = (decision: string): Record<string, unknown> => ({
  inputResponses: { approval: { action: 'accept', content: { decision } } },
});
const textOf = (answer: Answer): string | undefined => answer.result?.content?.[0]?.text;
const DOES_NOT_FIT = 'DISPATCH_NOT_PERMITTED: the approval does not fit';

async function ask(call: (params: Record<string, unknown>) => Promise<Answer>): Promise<string> {
  const answer = await call(APPROVE);
  expect(answer.result?.resultType).toBe('input_required');
  expect(answer.result).toMatchObject({
    inputRequests: {
      approval: {
        method: 'elicitation/create',
        params: {
          requestedSchema: {
            required: ['decision'],
            properties: {
              decision: {
                oneOf: [
                  { const: 'once', title: 'Yes, this once' },
                  { const: 'always', title: 'Yes, for this plugin from now on' },
                  { const: 'no', title: 'No' },
                ],
              },
            },
          },
        },
      },
    },
  });
  return answer.result?.requestState ?? '';
}

test('an approval counts once: the same answer again is refused', async () => {
  const call = await openRaw();
  const requestState = await ask(call);
  expect(textOf(await call({ ...APPROVE, ...accept('once'), requestState }))).toBe('answer: once');
  expect(textOf(await call({ ...APPROVE, ...accept('once'), requestState }))).toBe(DOES_NOT_FIT);
});

test('an approval counts for its arguments only, and for its tool only', async () => {
  const call = await openRaw();
  expect(textOf(await call({ ...APPROVE, arguments: { x: 2 }, ...accept('always'), requestState: await ask(call) }))).toBe(DOES_NOT_FIT);
  // A tool that needs no approval does not profit from one, either.
  const other = await call({ name: 'plugin_fixture_refuse', ...accept('always'), requestState: await ask(call) });
  expect(textOf(other)).toBe('DISPATCH_NOT_PERMITTED: not allowed');
});

test('an answer without the state of its question is refused', async () => {
  const call = await openRaw();
  const { error } = await call({ ...APPROVE, ...accept('always') });
  expect(error).toEqual({
    code: -32_602,
    message: 'Cannot take the inputResponses: they come without the requestState that their question was sent with',
  });
  const wrapped = await call({ ...APPROVE, inputResponses: { approval: { method: 'elicitation/create', result: { action: 'accept' } } } });
  expect(wrapped.error?.code).toBe(-32_602);
});

test('a state that was changed or made up is refused', async () => {
  const call = await openRaw();
  const state = await ask(call);
  const [head = '', body = '', mac = ''] = state.split('.');
  const forged = JSON.parse(Buffer.from(body, 'base64url').toString()) as { p: { argumentsDigest: string } };
  forged.p.argumentsDigest = createHash('sha256')
    .update(JSON.stringify({ x: 2 }))
    .digest('hex');
  const changed = [head, Buffer.from(JSON.stringify(forged)).toString('base64url'), mac].join('.');
  for (const requestState of [changed, `${state}x`, 'v1.e30.e30', '', 'x'.repeat(10_000)]) {
    const { error, result } = await call({ ...APPROVE, arguments: { x: 2 }, ...accept('always'), requestState });
    expect(result).toBeUndefined();
    expect(error).toMatchObject({ code: -32_602, message: 'Invalid or expired requestState' });
  }
});

test('a state without an answer asks again; an answer that makes no sense is a no', async () => {
  const call = await openRaw();
  const again = await call({ ...APPROVE, requestState: await ask(call) });
  expect(again.result?.resultType).toBe('input_required');
  for (const content of [{ decision: 'yes' }, {}, { decision: ['once'] }, undefined]) {
    const inputResponses = { approval: { action: 'accept', ...(content === undefined ? {} : { content }) } };
    expect(textOf(await call({ ...APPROVE, inputResponses, requestState: await ask(call) }))).toBe('answer: no');
  }
});
