import { Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';

import { reasonOf } from '../errors.ts';
import type { JsonSchema } from '../manifest/plugin.ts';
import { createBoundedRun, type BoundedRun } from './bounded-run.ts';
import type { ArgumentIssue } from './catalog.ts';
import type { ArgumentCheck } from './tool-schema.ts';

/** One call must not spend longer on explaining arguments than on running. */
const MAX_ISSUES = 10;
const MAX_ALLOWED_VALUES = 50;
const MAX_MESSAGE_LENGTH = 1_000;
const MAX_PATTERN_LENGTH = 1_000;
/** Compiling happens once per load; the largest schema that is taken needs about a second. */
const COMPILE_TIMEOUT_MS = 5_000;
const CHECK_TIMEOUT_MS = 1_000;
/** What can take longer than schema and arguments together are large: references multiply, patterns and comparisons repeat. */
const COSTLY_KEYS = /"(?:\$ref|\$dynamicRef|pattern|patternProperties|uniqueItems)":/;

/** A plugin’s `pattern` is attacker-written and V8’s own engine backtracks; RE2 is linear and has no look-around. */
const linearRegExp = Object.assign(
  (pattern: string) => {
    if (pattern.length > MAX_PATTERN_LENGTH)
      throw new RangeError(`a pattern of ${pattern.length} characters, at most ${MAX_PATTERN_LENGTH} are allowed`);
    const compiled = RE2JS.compile(pattern);
    // The validator keeps one expression for each text of it: without a text of its own every pattern would be the first one.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => pattern };
  },
  { code: 'linearRegExp' },
);

const OPTIONS: Options = {
  allErrors: false,
  strict: false,
  validateFormats: false,
  logger: false,
  // A small schema of many references to one large part would be multiplied out.
  inlineRefs: false,
  code: { regExp: linearRegExp },
};

/**
 * Compiles on the first check and never again. Every load has a validator instance of its own, because a shared one
 * keeps the old version of a changed schema (mcp.md §2, trap 1).
 */
export function createArgumentCheck(schema: JsonSchema, runBounded: BoundedRun = createBoundedRun()): ArgumentCheck {
  let check: ArgumentCheck | undefined;
  return (args) => (check ??= compile(schema, runBounded))(args);
}

/** Compiles now and says what is wrong with the schema, if anything; for `validate` and `doctor`. */
export function findSchemaProblem(schema: JsonSchema): string | undefined {
  try {
    createBoundedRun()(() => createValidator(schema), COMPILE_TIMEOUT_MS);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function compile(schema: JsonSchema, runBounded: BoundedRun): ArgumentCheck {
  let validate: ReturnType<typeof createValidator>;
  try {
    validate = runBounded(() => createValidator(schema), COMPILE_TIMEOUT_MS);
  } catch (error) {
    const issue = { path: '', message: `the tool’s own schema cannot be used: ${reasonOf(error)}` };
    return () => [issue];
  }
  const isCostly = COSTLY_KEYS.test(JSON.stringify(schema));
  return (args) => {
    try {
      const isValid = isCostly ? runBounded(() => validate(args), CHECK_TIMEOUT_MS) : validate(args);
      return isValid === true ? [] : (validate.errors ?? []).slice(0, MAX_ISSUES).map(describeIssue);
    } catch (error) {
      // A schema that refers to itself overflows the stack on arguments nested deeply enough.
      return [{ path: '', message: `the arguments cannot be checked: ${reasonOf(error)}` }];
    }
  };
}

function createValidator(schema: JsonSchema) {
  const dialect = schema['$schema'];
  const isOlder = typeof dialect === 'string' && dialect.includes('draft-0');
  // `$async` would make the validator answer with a promise, which is never false.
  const { $schema: _dialect, $async: _async, ...rest } = schema;
  return isOlder ? new Ajv(OPTIONS).compile(rest) : new Ajv2020(OPTIONS).compile(rest);
}

function describeIssue(error: ErrorObject): ArgumentIssue {
  const { allowedValues, additionalProperty } = error.params as { allowedValues?: unknown[]; additionalProperty?: string };
  const values = allowedValues
    ? `: ${allowedValues
        .slice(0, MAX_ALLOWED_VALUES)
        .map((value) => JSON.stringify(value))
        .join(', ')}`
    : '';
  const extra = additionalProperty === undefined ? '' : `, found ${JSON.stringify(additionalProperty)}`;
  return {
    path: error.instancePath.slice(0, MAX_MESSAGE_LENGTH),
    message: `${error.message ?? 'is invalid'}${values}${extra}`.slice(0, MAX_MESSAGE_LENGTH),
  };
}
