import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { allocateFrame, createFrameReader, FRAME, HEADER_BYTES, MAX_FRAME_BYTES } from '../../../../src/executors/wasm/channel.ts';

interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

function encode({ type, payload }: Frame): Buffer {
  const frame = allocateFrame(type, payload.length);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}
function useReader() {
  const frames: Frame[] = [];
  return { frames, read: createFrameReader((type, payload) => frames.push({ type, payload: Buffer.from(payload) })) };
}
const headerOf = (length: number): Buffer => {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(length, 0);
  return header;
};

describe('createFrameReader()', () => {
  test('gives the same frames however the bytes are cut', () => {
    const frame = fc.record({
      type: fc.integer({ min: 0, max: 255 }),
      payload: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 80 }), (wanted, cuts) => {
        const bytes = Buffer.concat(wanted.map(encode));
        const { frames, read } = useReader();
        let at = 0;
        for (let i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] ?? 1;
          read(bytes.subarray(at, at + size));
          at += Math.max(size, i > 1_000 ? 1 : size);
          if (cuts.every((cut) => cut === 0)) at++;
        }
        if (cuts.some((cut) => cut > 0)) expect(frames).toEqual(wanted);
      }),
    );
  });

  test('gives frames byte by byte', () => {
    const wanted = [
      { type: FRAME.ready, payload: Buffer.alloc(0) },
      { type: FRAME.log, payload: Buffer.from('línea') },
    ];
    const { frames, read } = useReader();
    for (const byte of Buffer.concat(wanted.map(encode))) read(Buffer.of(byte));
    expect(frames).toEqual(wanted);
  });

  test('waits for the rest of a frame of the largest size', () => {
    const { frames, read } = useReader();
    read(headerOf(MAX_FRAME_BYTES));
    read(Buffer.alloc(1_000));
    expect(frames).toEqual([]);
  });

  test.for([0, MAX_FRAME_BYTES + 1, 0xffff_ffff])('throws for a frame of %i bytes, before it holds any of it', (length) => {
    const { read } = useReader();
    expect(() => read(headerOf(length))).toThrow(new RangeError(`frame of ${length} bytes`));
  });

  test('gives the frames before a bad one', () => {
    const { frames, read } = useReader();
    const good = { type: FRAME.ready, payload: Buffer.from('x') };
    expect(() => read(Buffer.concat([encode(good), headerOf(0)]))).toThrow(RangeError);
    expect(frames).toEqual([good]);
  });
});
