import { describe, test } from 'vitest';

import { createLineLog } from '../../../../../src/executors/script/output/line-log.ts';

function useLines(maxBytes = 10_000) {
  const lines: string[] = [];
  return { lines, log: createLineLog({ maxBytes, log: (line) => lines.push(line) }) };
}

describe('createLineLog()', () => {
  test('logs whole lines as they come, without their ends, and none that are empty', ({ expect }) => {
    const { lines, log } = useLines();
    log.push(Buffer.from('one\r\ntw'));
    expect(lines).toEqual(['one']);
    log.push(Buffer.from('o\n\nthree'));
    expect(lines).toEqual(['one', 'two']);
    log.end();
    expect(lines).toEqual(['one', 'two', 'three']);
    expect(log.tail()).toBe('one\r\ntwo\n\nthree');
    expect(log.droppedBytes).toBe(0);
  });

  test('joins characters that come in pieces', ({ expect }) => {
    const { lines, log } = useLines();
    for (const byte of Buffer.from('grün €\n')) log.push(Buffer.from([byte]));
    expect(lines).toEqual(['grün €']);
  });

  test('drops what is past the limit, counts it, and still knows the end', ({ expect }) => {
    const { lines, log } = useLines(10);
    log.push(Buffer.from('12345\n'));
    log.push(Buffer.from('too long for it\nx\n'));
    log.push(Buffer.from('the end\n'));
    log.end();
    expect(lines).toEqual(['12345']);
    expect(log.droppedBytes).toBe('too long for it\nx\nthe end\n'.length);
    expect(log.tail()).toMatch(/the end$/);
  });

  test('cuts a line that does not end, and keeps little of a flood', ({ expect }) => {
    const { lines, log } = useLines(100_000);
    for (let index = 0; index < 100; index += 1) log.push(Buffer.alloc(65_536, 'x'));
    log.end();
    expect(Math.max(...lines.map((line) => line.length))).toBe(4000);
    expect(lines.join('').length).toBeLessThanOrEqual(100_000);
    expect(lines.join('').length + log.droppedBytes).toBeGreaterThanOrEqual(100 * 65_536);
    expect(log.tail()).toHaveLength(2000);
  });

  test('shows bytes that are no text as replacement characters', ({ expect }) => {
    const { lines, log } = useLines();
    log.push(Buffer.from([0x61, 0xff, 0x0a]));
    expect(lines).toEqual(['a\uFFFD']);
  });
});
