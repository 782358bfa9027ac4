import { describe, expect, test } from 'vitest';

import { createLiveCall } from '../../../src/dispatch/live-call.ts';
import type { CallRequest } from '../../../src/dispatch/outcome.ts';

const requestWith = (over: Partial<CallRequest> = {}): CallRequest => ({
  tool: 't',
  arguments: {},
  caller: { client: 'c', clientVersion: '1', transport: 'stdio', principal: 'p' },
  signal: new AbortController().signal,
  canAsk: true,
  ...over,
});

describe('createLiveCall()', () => {
  test('aborts when the client cancels, before or during the call', () => {
    const cancel = new AbortController();
    const live = createLiveCall(requestWith({ signal: cancel.signal }));
    expect(live.ends.signal.aborted).toBe(false);
    cancel.abort();
    expect(live.ends.signal.aborted).toBe(true);
    expect(live.stoppedToAsk()).toBe(false);
    expect(createLiveCall(requestWith({ signal: AbortSignal.abort() })).ends.signal.aborted).toBe(true);
  });

  test('lets go of the client’s signal when it is closed', () => {
    const cancel = new AbortController();
    const live = createLiveCall(requestWith({ signal: cancel.signal }));
    live.close();
    cancel.abort();
    expect(live.ends.signal.aborted).toBe(false);
  });

  test('aborts when a person is to be asked, and remembers that', () => {
    const live = createLiveCall(requestWith());
    expect(live.stopToAsk()).toBe(true);
    expect(live.ends.signal.aborted).toBe(true);
    expect(live.stoppedToAsk()).toBe(true);
  });

  test('passes on every line and every progress, and keeps 200 lines', () => {
    const lines: string[] = [];
    const steps: number[] = [];
    const live = createLiveCall(
      requestWith({ onLog: (line) => void lines.push(line.message), onProgress: ({ progress }) => void steps.push(progress) }),
    );
    for (let i = 0; i < 250; i++) live.ends.log({ level: 'info', message: String(i) });
    live.ends.progress({ progress: 1, total: 2 });
    expect(lines).toHaveLength(250);
    expect(live.logs).toHaveLength(200);
    expect(live.logs.at(-1)?.message).toBe('199');
    expect(steps).toEqual([1]);
    expect(() => createLiveCall(requestWith()).ends.progress({ progress: 1 })).not.toThrow();
  });
});
