import type { ServerContext } from '@modelcontextprotocol/server';
import { expect, test } from 'vitest';
import { createLiveNotifications } from '../../../src/server/live.ts';

interface Sent {
  readonly progress: unknown[];
  readonly logs: { level: string; data: unknown }[];
}

/** The part of a request’s context that notifications go through. */
function openContext(options: { token?: string; send?: () => Promise<void> } = {}): {
  ctx: ServerContext;
  sent: Sent;
  abort: AbortController;
} {
  const sent: Sent = { progress: [], logs: [] };
  const abort = new AbortController();
  const send = options.send ?? (() => Promise.resolve());
  const mcpReq = {
    _meta: options.token === undefined ? undefined : { progressToken: options.token },
    signal: abort.signal,
    log: (level: string, data: unknown) => (sent.logs.push({ level, data }), send()),
    notify: (notification: unknown) => (sent.progress.push(notification), send()),
  };
  return { ctx: { mcpReq } as unknown as ServerContext, sent, abort };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('createLiveNotifications() ends a flood with one warning', async () => {
  const { ctx, sent } = openContext({ token: 't' });
  const live = createLiveNotifications(ctx.mcpReq, () => 'p');
  for (let index = 0; index < 2000; index += 1) {
    live.onLog({ level: 'info', message: `line ${index}` });
    if (index % 10 === 0) await tick();
  }
  expect(sent.logs).toHaveLength(501);
  expect(sent.logs.at(-1)).toEqual({ level: 'warning', data: 'Further log lines and progress of this call are left out' });
  expect(sent.progress).toHaveLength(500);
});

test('createLiveNotifications() drops what a client does not take', () => {
  const { ctx, sent } = openContext({ token: 't', send: () => new Promise(() => {}) });
  const live = createLiveNotifications(ctx.mcpReq, () => 'p');
  for (let index = 0; index < 400; index += 1) live.onProgress({ progress: index + 1 });
  expect(sent.progress).toHaveLength(64);
});

test('createLiveNotifications() cuts long lines, keeps progress messages to one line', () => {
  const { ctx, sent } = openContext({ token: 't' });
  createLiveNotifications(ctx.mcpReq, () => 'p').onLog({ level: 'info', message: `a\nb${'x'.repeat(10_000)}` });
  expect(String(sent.logs[0]?.data)).toHaveLength(2000);
  expect(sent.progress[0]).toMatchObject({ params: { progressToken: 't', progress: 1, message: expect.stringMatching(/^a b/) } });
});

test('createLiveNotifications() sends nothing after the end or a cancellation, and survives failing sends', async () => {
  const ended = openContext({ token: 't' });
  const live = createLiveNotifications(ended.ctx.mcpReq, () => 'p');
  await live.end();
  live.onLog({ level: 'info', message: 'late' });
  live.onProgress({ progress: 1 });
  expect(ended.sent).toEqual({ progress: [], logs: [] });

  const aborted = openContext({ token: 't' });
  aborted.abort.abort();
  createLiveNotifications(aborted.ctx.mcpReq, () => 'p').onLog({ level: 'info', message: 'late' });
  expect(aborted.sent.logs).toEqual([]);

  const broken = openContext({ token: 't', send: () => Promise.reject(new Error('gone')) });
  createLiveNotifications(broken.ctx.mcpReq, () => 'p').onLog({ level: 'info', message: 'x' });
  await tick();
});

test('createLiveNotifications() without a token sends log lines and no progress', () => {
  const { ctx, sent } = openContext();
  const live = createLiveNotifications(ctx.mcpReq, () => 'p');
  live.onLog({ level: 'error', message: 'x' });
  live.onProgress({ progress: 1 });
  expect(sent).toEqual({ progress: [], logs: [{ level: 'error', data: 'x' }] });
});
