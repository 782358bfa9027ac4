import type { Readable } from 'node:stream';

export interface Captured {
  readonly text: string;
  readonly truncated: boolean;
}

/**
 * Reads a stream to its end as UTF-8, keeping at most `maxBytes`. What comes after is dropped and `onOverflow` called
 * once. A character cut in half at the limit is dropped. Never rejects: a broken stream ends where it broke.
 */
export function capture(stream: Readable, options: { readonly maxBytes: number; readonly onOverflow: () => void }): Promise<Captured> {
  const { maxBytes, onOverflow } = options;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let truncated = false;
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      if (truncated) return;
      chunks.push(chunk.subarray(0, maxBytes - bytes));
      bytes += chunk.length;
      if (bytes > maxBytes) {
        truncated = true;
        onOverflow();
      }
    });
    const settle = () => {
      const decoder = new TextDecoder();
      const text = decoder.decode(Buffer.concat(chunks), { stream: truncated });
      resolve({ text, truncated });
    };
    stream.once('close', settle);
    stream.once('error', () => {});
  });
}
