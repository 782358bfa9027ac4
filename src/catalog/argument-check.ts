import { Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';

import { reasonOf } from '../errors.ts';
import type { JsonSchema } from '../manifest/plugin.ts';
import type { ArgumentIssue } from './catalog.ts';
import type { ArgumentCheck } from './tool-schema.ts';

/** One call must not spend longer on explaining arguments than on running. */
const MAX_ISSUES = 10;

/** A plugin’s `pattern` is attacker-written and V8’s own engine backtracks; RE2 is linear and has no look-around. */
const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text: string) => compiled.matcher(text).find() };
  },
  { code: 'linearRegExp' },
);

const OPTIONS: Options = {
  allErrors: false,
  strict: false,
  validateFormats: false,
  logger: false,
  code: { regExp: linearRegExp },
};

/**
 * Compiles on the first check and never again. Every load has a validator instance of its own, because a shared one
 * keeps the old version of a changed schema (mcp.md §2, trap 1).
 */
export function createArgumentCheck(schema: JsonSchema): ArgumentCheck {
  let check: ArgumentCheck | undefined;
  return (args) => (check ??= compile(schema))(args);
}

/** Compiles now and says what is wrong with the schema, if anything; for `validate` and `doctor`. */
export function findSchemaProblem(schema: JsonSchema): string | undefined {
  try {
    createValidator(schema);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function compile(schema: JsonSchema): ArgumentCheck {
  let validate: ReturnType<typeof createValidator>;
  try {
    validate = createValidator(schema);
  } catch (error) {
    const issue = { path: '', message: `the tool’s own schema cannot be used: ${reasonOf(error)}` };
    return () => [issue];
  }
  return (args) => {
    try {
      return validate(args) ? [] : (validate.errors ?? []).slice(0, MAX_ISSUES).map(describeIssue);
    } catch (error) {
      // A schema that refers to itself overflows the stack on arguments nested deeply enough.
      return [{ path: '', message: `the arguments cannot be checked: ${reasonOf(error)}` }];
    }
  };
}

function createValidator(schema: JsonSchema) {
  const dialect = schema['$schema'];
  const isOlder = typeof dialect === 'string' && dialect.includes('draft-0');
  const { $schema: _dialect, ...rest } = schema;
  return isOlder ? new Ajv(OPTIONS).compile(rest) : new Ajv2020(OPTIONS).compile(rest);
}

function describeIssue(error: ErrorObject): ArgumentIssue {
  const { allowedValues, additionalProperty } = error.params as { allowedValues?: unknown[]; additionalProperty?: string };
  const values = allowedValues ? `: ${allowedValues.map((value) => JSON.stringify(value)).join(', ')}` : '';
  const extra = additionalProperty === undefined ? '' : `, found ${JSON.stringify(additionalProperty)}`;
  return { path: error.instancePath, message: `${error.message ?? 'is invalid'}${values}${extra}` };
}
