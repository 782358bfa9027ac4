// Transforms JSON in steps. Arguments: one JSON object on stdin; answer: one JSON object on stdout.
import { readFileSync } from 'node:fs';

import { describe, STEPS } from './steps.ts';
import { emptyObject, isObject, TransformError, type Json } from './pointer.ts';

const MAX_STEPS = 50;

/** Objects without a prototype: see `Json`. */
const withoutPrototype = (_key: string, value: Json): Json => (isObject(value) ? Object.assign(emptyObject(), value) : value);

function transform(data: string, steps: readonly Json[]): Json {
  if (steps.length > MAX_STEPS) throw new TransformError(`Cannot do ${steps.length} steps, wanted at most ${MAX_STEPS}`);
  let value: Json;
  try {
    value = JSON.parse(data, withoutPrototype) as Json;
  } catch (error) {
    throw new TransformError(`Cannot read the data as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (const [index, step] of steps.entries()) value = doStep(value, step, index + 1);
  return value;
}

function doStep(value: Json, step: Json, number: number): Json {
  const entries = isObject(step) ? Object.entries(step) : [];
  const [name, option] = entries[0] ?? ['', null];
  const run = Object.hasOwn(STEPS, name) ? STEPS[name] : undefined;
  if (entries.length !== 1 || run === undefined) {
    throw new TransformError(
      `Cannot do step ${number}, ${JSON.stringify(step).slice(0, 100)}: wanted an object with one of ${Object.keys(STEPS).join(', ')}`,
    );
  }
  try {
    return run(value, option);
  } catch (error) {
    if (!(error instanceof TransformError)) throw error;
    throw new TransformError(`Cannot do step ${number}, ${name}: ${error.message}`);
  }
}

const { data, steps } = JSON.parse(readFileSync(0, 'utf8')) as { readonly data: string; readonly steps: readonly Json[] };
try {
  const result = transform(data, steps);
  process.stdout.write(JSON.stringify({ result, found: describe(result).replace('here is ', '') }));
} catch (error) {
  if (!(error instanceof TransformError)) throw error;
  process.stdout.write(JSON.stringify({ error: error.message }));
}
