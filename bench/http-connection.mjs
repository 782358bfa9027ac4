// HTTP/1.1 by hand over one kept-alive socket, one request at a time; answers are JSON or a stream of events.
import { once } from 'node:events';
import { connect } from 'node:net';

/** `post(text, headers, onMessage)` resolves with the response’s status and head once it is complete. */
export async function openConnection(url) {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  await once(socket, 'connect');
  let buffered = Buffer.alloc(0);
  let current;
  const fail = (error) => {
    current?.reject(error);
    current = undefined;
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));
  socket.on('data', (data) => {
    buffered = buffered.length === 0 ? data : Buffer.concat([buffered, data]);
    if (current !== undefined) buffered = readResponse(current, buffered);
    if (current?.complete) {
      const { resolve, status, head } = current;
      current = undefined;
      resolve({ status, head });
    }
  });
  return {
    post: (text, headers, onMessage) =>
      new Promise((resolve, reject) => {
        current = { resolve, reject, onMessage, head: undefined, events: '', complete: false };
        socket.write(
          `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\n` +
            `Accept: application/json, text/event-stream\r\n${headers}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
        );
      }),
    close: () => socket.destroy(),
  };
}

/** Takes what is complete from the front of `bytes` into `response`; gives the rest back. */
function readResponse(response, bytes) {
  let rest = bytes;
  if (response.head === undefined) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return rest;
    response.head = rest.toString('latin1', 0, end);
    response.status = Number(response.head.slice(9, 12));
    response.isChunked = /\r\ntransfer-encoding:\s*chunked/i.test(response.head);
    response.isEvents = /\r\ncontent-type:\s*text\/event-stream/i.test(response.head);
    response.length = Number(/\r\ncontent-length:\s*(\d+)/i.exec(response.head)?.[1] ?? 0);
    rest = rest.subarray(end + 4);
  }
  return response.isChunked ? readChunks(response, rest) : readWhole(response, rest);
}

function readWhole(response, bytes) {
  if (bytes.length < response.length) return bytes;
  if (response.length > 0) takeBody(response, bytes.toString('utf8', 0, response.length));
  response.complete = true;
  return bytes.subarray(response.length);
}

function readChunks(response, bytes) {
  let rest = bytes;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n');
    if (lineEnd === -1) return rest;
    const size = Number.parseInt(rest.toString('latin1', 0, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (rest.length < end + 2) return rest;
    if (size > 0) takeBody(response, rest.toString('utf8', lineEnd + 2, end));
    rest = rest.subarray(end + 2);
    if (size > 0) continue;
    response.complete = true;
    return rest;
  }
}

function takeBody(response, text) {
  if (!response.isEvents) {
    response.onMessage(text);
    return;
  }
  response.events += text;
  for (let end = response.events.indexOf('\n\n'); end !== -1; end = response.events.indexOf('\n\n')) {
    const event = response.events.slice(0, end);
    response.events = response.events.slice(end + 2);
    const data = event.split('\n').filter((line) => line.startsWith('data:'));
    const message = data.map((line) => line.slice(5).trimStart()).join('\n');
    if (message !== '') response.onMessage(message);
  }
}
