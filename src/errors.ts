/** Whose fault an error is; it alone selects the answer, the exit code and the log level. */
export type Fault = 'caller' | 'plugin' | 'policy' | 'operator' | 'host';

interface ErrorEntry<Details> {
  readonly fault: Fault;
  readonly message: (details: Details) => string;
}
const entry = <Details>(fault: Fault, message: (details: Details) => string): ErrorEntry<Details> => ({ fault, message });

/** What the errors of a call tell: which tool, and why. */
interface CallFailure {
  readonly tool: string;
  readonly reason: string;
}

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
  CATALOG_UNKNOWN_PLUGIN: entry<{ plugin: string; known: string }>(
    'caller',
    (d) => `Cannot find the plugin "${d.plugin}": known are ${d.known || 'none'}`,
  ),
  CATALOG_UNKNOWN_COMMAND: entry<{ plugin: string; command: string; known: string }>(
    'caller',
    (d) => `Cannot find the command "${d.command}" of "${d.plugin}": it has ${d.known || 'none'}`,
  ),
  CATALOG_NOT_CALLABLE: entry<{ plugin: string; status: string; reason: string }>(
    'policy',
    (d) => `Cannot call the plugin "${d.plugin}", it is ${d.status}: ${d.reason}`,
  ),
  POLICY_INVALID: entry<{ file: string; reason: string }>('operator', (d) => `Cannot use the policy "${d.file}": ${d.reason}`),
  POLICY_CAPABILITY_INVALID: entry<{ capability: string; reason: string }>(
    'caller',
    (d) => `Cannot use the capability "${d.capability}": ${d.reason}`,
  ),
  TRUST_GRANTS_INVALID: entry<{ file: string; reason: string }>('operator', (d) => `Cannot use the stored grants "${d.file}": ${d.reason}`),
  TRUST_STORE_INVALID: entry<{ file: string; reason: string }>('operator', (d) => `Cannot use the stored trust "${d.file}": ${d.reason}`),
  TRUST_STORE_BUSY: entry<{ file: string; waitedMs: number }>(
    'host',
    (d) => `Cannot write "${d.file}": another process held its lock for ${d.waitedMs} ms`,
  ),
  EXECUTION_SANDBOX_MISSING: entry<{ program: string; reason: string; wanted: string }>(
    'operator',
    (d) => `Cannot run "${d.program}" isolated: ${d.reason}; ${d.wanted}`,
  ),
  EXECUTION_SANDBOX_FAILED: entry<{ program: string; reason: string }>(
    'host',
    (d) => `Cannot start "${d.program}" in the sandbox: ${d.reason}`,
  ),
  EXECUTION_SANDBOX_INVALID: entry<{ program: string; what: string; value: string; wanted: string }>(
    'host',
    (d) => `Cannot start "${d.program}" in the sandbox: the ${d.what} "${d.value}" must be ${d.wanted}`,
  ),
  DISPATCH_ARGUMENTS_INVALID: entry<CallFailure>(
    'caller',
    (d) => `Cannot call "${d.tool}": ${d.reason}; correct the arguments and call again`,
  ),
  DISPATCH_NOT_PERMITTED: entry<CallFailure>('policy', (d) => `Cannot run "${d.tool}": ${d.reason}`),
  DISPATCH_APPROVAL_ASKED: entry<CallFailure>('policy', (d) => `Cannot run "${d.tool}" before a person has answered: ${d.reason}`),
  DISPATCH_QUEUE_FULL: entry<CallFailure>('host', (d) => `Cannot call "${d.tool}" now: ${d.reason}; try again when other calls have ended`),
  DISPATCH_APPROVAL_VOID: entry<CallFailure>(
    'caller',
    (d) => `Cannot use the approval for "${d.tool}": ${d.reason}; call the tool again to be asked anew`,
  ),
  DISPATCH_CANCELLED: entry<CallFailure>('caller', (d) => `Cancelled "${d.tool}": ${d.reason}`),
  EXECUTION_PLUGIN_FAILED: entry<CallFailure>('plugin', (d) => d.reason),
  EXECUTION_TRAPPED: entry<CallFailure>('plugin', (d) => `Cannot finish "${d.tool}", ${d.reason}; this is a fault of the plugin`),
  EXECUTION_BAD_OUTPUT: entry<CallFailure>('plugin', (d) => `Cannot use the answer of "${d.tool}", ${d.reason}`),
  EXECUTION_OUTPUT_TOO_LARGE: entry<CallFailure>(
    'plugin',
    (d) => `Cannot return the answer of "${d.tool}", ${d.reason}; ask for less at a time`,
  ),
  EXECUTION_HOST_CALLS: entry<CallFailure>('plugin', (d) => `Cannot finish "${d.tool}", ${d.reason}; ask for less at a time`),
  EXECUTION_MODULE_REFUSED: entry<CallFailure>('plugin', (d) => `Cannot run "${d.tool}": ${d.reason}`),
  EXECUTION_TIMED_OUT: entry<CallFailure>(
    'plugin',
    (d) => `Cannot finish "${d.tool}" in time: ${d.reason}; ask for less at a time or raise the plugin’s timeout`,
  ),
  EXECUTION_NO_HOST: entry<CallFailure>('host', (d) => `Cannot run "${d.tool}": ${d.reason}; run plugbridge doctor`),
  EXECUTION_NOT_ISOLATED: entry<CallFailure>('operator', (d) => `Cannot run "${d.tool}" isolated: ${d.reason}`),
  EXECUTION_INTERPRETER_MISSING: entry<CallFailure>('operator', (d) => `Cannot run "${d.tool}": ${d.reason}`),
  EXECUTION_DIED: entry<CallFailure>('plugin', (d) => `Cannot finish "${d.tool}", ${d.reason}`),
  EXECUTION_INTERNAL: entry<{ what: string }>('host', (d) => `Cannot run a plugin: ${d.what}`),
  AUDIT_UNREADABLE: entry<{ directory: string; reason: string }>(
    'operator',
    (d) => `Cannot read the audit journal in "${d.directory}": ${d.reason}`,
  ),
  ARTIFACT_UNUSABLE: entry<{ directory: string; reason: string }>(
    'host',
    (d) => `Cannot use the artifact store "${d.directory}": ${d.reason}`,
  ),
  // A full disk is the operator’s to mend, and callers must learn why nothing runs.
  AUDIT_UNWRITABLE: entry<{ file: string; reason: string }>(
    'operator',
    (d) => `Cannot write the audit record to "${d.file}": ${d.reason}; no call runs unrecorded`,
  ),
  SERVER_ADDRESS_INVALID: entry<{ address: string }>(
    'operator',
    (d) => `Cannot listen on "${d.address}": it must be [HOST:]PORT, with a port from 0 to 65535`,
  ),
  SERVER_LISTEN_FAILED: entry<{ address: string; reason: string }>('operator', (d) => `Cannot listen on "${d.address}": ${d.reason}`),
  SERVER_NO_AUTH_REFUSED: entry<{ address: string }>(
    'operator',
    (d) => `Cannot serve "${d.address}" without authentication: only loopback addresses may go without a token`,
  ),
  SERVER_TOKEN_UNUSABLE: entry<{ file: string; reason: string }>('operator', (d) => `Cannot use the token "${d.file}": ${d.reason}`),
  COMMANDS_NEW_REFUSED: entry<{ plugin: string; reason: string }>('caller', (d) => `Cannot begin the plugin "${d.plugin}": ${d.reason}`),
  COMMANDS_VALUE_MISSING: entry<{ option: string }>('caller', (d) => `Cannot read the option "${d.option}": it wants a value`),
  CONNECT_UNREADABLE: entry<{ file: string; reason: string }>(
    'operator',
    (d) => `Cannot change "${d.file}": ${d.reason}; use --print and enter it by hand`,
  ),
  CONNECT_UNWRITABLE: entry<{ file: string; reason: string }>('operator', (d) => `Cannot write "${d.file}": ${d.reason}`),
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

/** The codes that end one call, whose message needs the tool and a reason. */
export type CallErrorCode = {
  [Code in ErrorCode]: CallFailure extends ErrorDetails<Code> ? (ErrorDetails<Code> extends CallFailure ? Code : never) : never;
}[ErrorCode];

/** The message of a call’s error, for an outcome that is returned and not thrown. */
export const describeCallError = (code: CallErrorCode, details: CallFailure): string => ERRORS[code].message(details);

/** The message of anything thrown, for use inside another message. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
