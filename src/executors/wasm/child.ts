import { readSync, writeSync } from 'node:fs';

import { createFrameReader, FRAME, HEADER_BYTES, allocateFrame, type ModuleMeta } from './channel.ts';
import { createGuestRunner, type HostReply } from './child-guest.ts';

/**
 * The WASM host process: it has no files and no network of its own, runs one call after the other, and asks the
 * server for everything else. All of it is synchronous, for a guest’s import must block until the answer is there.
 */
const STDIN = 0;
const STDOUT = 1;

const frames: { type: number; payload: Buffer }[] = [];
const readFrames = createFrameReader((type, payload) => frames.push({ type, payload }));

function nextFrame(): { type: number; payload: Buffer } {
  for (;;) {
    const frame = frames.shift();
    if (frame) return frame;
    const chunk = Buffer.allocUnsafe(65_536);
    const count = readSync(STDIN, chunk, 0, chunk.length, null);
    // The server is gone; nothing that it started lives on.
    if (count === 0) process.exit(0);
    readFrames(chunk.subarray(0, count));
  }
}

function send(frame: Buffer): void {
  for (let offset = 0; offset < frame.length;) offset += writeSync(STDOUT, frame, offset, frame.length - offset, null);
}

function askServer(frame: Buffer): HostReply {
  send(frame);
  const { type, payload } = nextFrame();
  if (type !== FRAME.reply) process.exit(3);
  return { isText: payload.readUInt8(0) === 1, code: payload.readInt32LE(1), text: payload.subarray(5) };
}

const runner = createGuestRunner({ askServer, sendLog: send });

send(allocateFrame(FRAME.ready, 0));
for (;;) {
  const { type, payload } = nextFrame();
  if (type === FRAME.load) {
    const metaBytes = payload.readUInt32LE(4);
    const meta = JSON.parse(payload.toString('utf8', 8, 8 + metaBytes)) as ModuleMeta;
    runner.load(payload.readUInt32LE(0), meta, payload.subarray(8 + metaBytes));
  } else if (type === FRAME.unload) {
    runner.unload(payload.readUInt32LE(0));
  } else if (type === FRAME.call) {
    const id = payload.readUInt32LE(0);
    const result = runner.run(id, {
      fuel: payload.readDoubleLE(4),
      hostCalls: payload.readUInt32LE(12),
      logBytes: payload.readUInt32LE(16),
      outputBytes: payload.readUInt32LE(20),
      request: payload.subarray(24),
    });
    const text = Buffer.from(result.text, 'utf8');
    const frame = allocateFrame(FRAME.result, 17 + text.length);
    frame.writeUInt8(result.status, HEADER_BYTES);
    frame.writeDoubleLE(result.fuelUsed, HEADER_BYTES + 1);
    frame.writeUInt32LE(result.hostCalls, HEADER_BYTES + 9);
    frame.writeUInt32LE(result.logBytesDropped, HEADER_BYTES + 13);
    text.copy(frame, HEADER_BYTES + 17);
    send(frame);
    // Made after the answer has gone out, so that the next call finds a fresh instance waiting.
    runner.prepare(id);
  } else {
    process.exit(3);
  }
}
