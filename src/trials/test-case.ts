import { z } from 'zod';

/** Where a plugin’s tests are, relative to its directory. */
export const TEST_DIRECTORY = 'tests';
/** What an author can do where made-up arguments show nothing. */
export const ADD_A_TEST = `add a test, such as ${TEST_DIRECTORY}/example.json`;

/** One test of a plugin: `tests/NAME.json`. */
export const TestFileSchema = z.strictObject({
  command: z.string().min(1).max(200).optional().describe('the command to call; may be left out when the plugin has one only'),
  arguments: z.record(z.string(), z.unknown()).default({}).describe('the arguments of the call'),
  expect: z
    .union([z.record(z.string(), z.unknown()), z.string()])
    .optional()
    .describe('members that the output object must have, or text that the output must contain'),
  files: z.array(z.string().min(1).max(200)).max(64).optional().describe('names of files that the call must produce'),
  error: z
    .union([z.literal(true), z.string().min(1).max(2_000)])
    .optional()
    .describe('the call must fail; with text, the message must contain it'),
  timeoutMs: z.int().min(1).max(600_000).optional().describe('milliseconds until the call is cancelled and the test has failed'),
});
export type TestCase = Readonly<z.infer<typeof TestFileSchema>>;
