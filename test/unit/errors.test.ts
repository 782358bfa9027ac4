import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { ERRORS, type ErrorCode } from '../../src/errors.ts';

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));
const CODES = Object.keys(ERRORS) as ErrorCode[];
const texts = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
  .map((file) => readFileSync(join(SOURCE, file), 'utf8'));

/** What a message says with the name of every detail for its value. */
const sayNames = (code: ErrorCode): string => {
  const { message } = ERRORS[code] as { message: (details: object) => string };
  return message(new Proxy({}, { get: (_, name) => `<${String(name)}>` }));
};

describe('ERRORS', () => {
  test.for(CODES)('%s is used in src', (code) => {
    const quoted = `'${code}'`;
    expect(texts.some((text) => text.includes(quoted))).toBe(true);
  });

  test.for(CODES)('%s is named AREA_WHAT', (code) => {
    expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)+$/);
  });

  // The message of EXECUTION_PLUGIN_FAILED is the plugin’s own.
  test.for(CODES.filter((code) => code !== 'EXECUTION_PLUGIN_FAILED'))('%s says in one sentence what could not be done', (code) => {
    const message = sayNames(code);
    expect(message).toMatch(/^(?:Cannot [a-z]|Cancelled )/);
    expect(message).toMatch(/[^.\s]$/);
    expect(message).not.toMatch(/[\n\r]|\. [A-Z]/);
    expect(message).toMatch(/<\w+>/);
  });
});
