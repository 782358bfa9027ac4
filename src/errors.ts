/** Whose fault an error is; it alone selects the answer, the exit code and the log level. */
export type Fault = 'caller' | 'plugin' | 'policy' | 'operator' | 'host';

interface ErrorEntry<Details> {
  readonly fault: Fault;
  readonly message: (details: Details) => string;
}
const entry = <Details>(fault: Fault, message: (details: Details) => string): ErrorEntry<Details> => ({ fault, message });

/**
 * Every error of ours, by code. A code is `AREA_WHAT`, the areas are the folders.
 * A message says what could not be done, the value in question, and what is wanted.
 */
export const ERRORS = {
  CONFIG_INVALID: entry<{ file: string; reason: string }>('operator', (d) => `Cannot use the configuration "${d.file}": ${d.reason}`),
  CONFIG_ROOT_MISSING: entry<{ root: string }>('operator', (d) => `Cannot use the root "${d.root}": it must be an existing directory`),
  DISCOVER_UNREADABLE: entry<{ directory: string; reason: string }>(
    'operator',
    (d) => `Cannot read the plugin directory "${d.directory}": ${d.reason}`,
  ),
  MANIFEST_INVALID: entry<{ file: string; reason: string }>('plugin', (d) => `Cannot use the manifest "${d.file}": ${d.reason}`),
  CATALOG_UNKNOWN_PLUGIN: entry<{ plugin: string; known: string }>(
    'caller',
    (d) => `Cannot find the plugin "${d.plugin}": known are ${d.known || 'none'}`,
  ),
  CATALOG_UNKNOWN_COMMAND: entry<{ plugin: string; command: string; known: string }>(
    'caller',
    (d) => `Cannot find the command "${d.command}" of "${d.plugin}": it has ${d.known || 'none'}`,
  ),
  CATALOG_UNKNOWN_TOOL: entry<{ tool: string }>('caller', (d) => `Unknown tool: ${d.tool}`),
  POLICY_INVALID: entry<{ file: string; reason: string }>('operator', (d) => `Cannot use the policy "${d.file}": ${d.reason}`),
  POLICY_REFUSED: entry<{ what: string; reason: string }>('policy', (d) => `Cannot run "${d.what}": ${d.reason}`),
  TRUST_GRANTS_INVALID: entry<{ file: string; reason: string }>('operator', (d) => `Cannot use the stored grants "${d.file}": ${d.reason}`),
  EXECUTION_INTERNAL: entry<{ what: string }>('host', (d) => `Cannot run a plugin: ${d.what}`),
  AUDIT_UNWRITABLE: entry<{ file: string; reason: string }>(
    'host',
    (d) => `Cannot write the audit record to "${d.file}": ${d.reason}; no call runs unrecorded`,
  ),
} as const satisfies Record<string, ErrorEntry<never>>;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorDetails<Code extends ErrorCode> = Parameters<(typeof ERRORS)[Code]['message']>[0];

/** A broken promise: no answer could be made. Expected refusals are returned, not thrown. */
export class HostError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'HostError';
  readonly code: Code;
  readonly fault: Fault;

  constructor(code: Code, details: ErrorDetails<Code>, options?: ErrorOptions) {
    // The table types each code's details; TypeScript cannot see that the entry found belongs to the code given.
    const found = ERRORS[code] as unknown as ErrorEntry<ErrorDetails<Code>>;
    super(found.message(details), options);
    this.code = code;
    this.fault = found.fault;
  }
}

/** The message of anything thrown, for use inside another message. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
