// One server, measured: start to first tools/list, then closed loops of requests.
import { openHttp } from './client-http.mjs';
import { openStdio } from './client-stdio.mjs';
import { measureTree } from './processes.mjs';

const PROTOCOL = '2025-11-25';

const ask = (client, id, method, params) =>
  new Promise((resolve, reject) => {
    client.send(id, JSON.stringify({ jsonrpc: '2.0', id, method, params }), (message, error, at) => {
      if (error || message.error) reject(error ?? new Error(`${method}: ${JSON.stringify(message.error)}`));
      else resolve({ result: message.result, ...at });
    });
  });

/** Starts a server, lists its tools and runs every loop. `leftBehind` counts processes that outlived it. */
export async function measure({ server, loops = [] }) {
  const client = server.url ? await openHttp({ ...server, protocol: PROTOCOL }) : await openStdio(server);
  const measured = { runs: [] };
  try {
    await ask(client, 'open', 'initialize', { protocolVersion: PROTOCOL, capabilities: {}, clientInfo: { name: 'bench', version: '1' } });
    await client.notify('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    const list = await ask(client, 'list', 'tools/list', {});
    measured.firstListMs = list.atMs - client.startedMs;
    measured.listBytes = list.bytes;
    measured.tools = list.result.tools.length;
    let nextId = 1;
    for (const loop of loops) {
      await client.widen(loop.concurrency);
      const before = measureTree(client.pid);
      const run = await runLoop(client, { ...loop, firstId: nextId });
      const after = measureTree(client.pid);
      nextId += loop.count;
      if (loop.name) measured.runs.push({ name: loop.name, ...run, cpuUsPerCall: ((after.cpuMs - before.cpuMs) * 1000) / loop.count });
    }
    Object.assign(measured, measureTree(client.pid));
  } finally {
    measured.leftBehind = await client.close();
  }
  return measured;
}

/** `count` requests with `concurrency` of them in flight, the next one sent when an answer comes. Errors end it. */
async function runLoop(client, { method = 'tools/call', params, count, concurrency, expect, firstId }) {
  const tail = `,"method":"${method}","params":${JSON.stringify(params)}}`;
  const latenciesMs = new Float64Array(count);
  let sent = 0;
  let answered = 0;
  const startedMs = performance.now();
  await new Promise((resolve, reject) => {
    const next = () => {
      if (sent === count) {
        if (answered === count) resolve();
        return;
      }
      const at = sent++;
      const id = firstId + at;
      const sentMs = client.send(id, `{"jsonrpc":"2.0","id":${id}${tail}`, (message, error, answer) => {
        if (error) return reject(error);
        latenciesMs[at] = answer.atMs - (answer.sentMs ?? sentMs);
        answered++;
        if (message.error || message.result.isError) return reject(new Error(JSON.stringify(message.error ?? message.result)));
        if (expect && at === 0 && !JSON.stringify(message.result).includes(expect)) return reject(new Error(`unexpected: ${JSON.stringify(message.result).slice(0, 300)}`));
        next();
      });
    };
    for (let i = 0; i < concurrency; i++) next();
  });
  const wallMs = performance.now() - startedMs;
  const sorted = latenciesMs.sort();
  const quantile = (share) => sorted[Math.min(count - 1, Math.floor(count * share))];
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), perSecond: (count / wallMs) * 1000 };
}
