import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';

import type { HttpRequester } from './guest.ts';

const FETCHER = `
  const { workerData } = require('node:worker_threads');
  const { port, done } = workerData;
  port.on('message', async ({ url, method, headers }) => {
    try {
      const response = await fetch(url, { method, headers: JSON.parse(headers), redirect: 'error' });
      port.postMessage({ json: JSON.stringify({ status: response.status, body: await response.text() }) });
    } catch (error) {
      port.postMessage({ failure: String(error) });
    }
    Atomics.store(done, 0, 1);
    Atomics.notify(done, 0);
  });
`;

export interface BlockingFetch {
  readonly request: HttpRequester;
  close(): Promise<number>;
}

/** Real HTTP for imports of a guest, which can't wait for a promise: a worker fetches while this thread sleeps. */
export function createBlockingFetch(allows: (url: URL) => boolean): BlockingFetch {
  const { port1, port2 }: { port1: MessagePort; port2: MessagePort } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(FETCHER, { eval: true, workerData: { port: port2, done }, transferList: [port2] });
  return {
    request(url, { method, headers }) {
      if (!allows(new URL(url))) throw new Error('refused');
      Atomics.store(done, 0, 0);
      port1.postMessage({ url, method, headers });
      if (Atomics.wait(done, 0, 0, 20_000) === 'timed-out') throw new Error('no answer within 20000 ms');
      const { json, failure } = (receiveMessageOnPort(port1)?.message ?? {}) as { json?: string; failure?: string };
      if (json === undefined) throw new Error(failure);
      return json;
    },
    async close() {
      port1.close();
      return worker.terminate();
    },
  };
}
