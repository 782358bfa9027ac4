import { RESULT, type ResultStatus } from './channel.ts';

export interface GuestResponse {
  readonly status: ResultStatus;
  readonly text: string;
}

/** Deeper answers would overflow the recursive serialisers that they meet later. */
const MAX_DEPTH = 64;

/**
 * Reads what a guest’s `run` answered: `{success, output, error}`, where absent and null members mean the same.
 * Upstream prints anything else as it is and calls it success; a host that audits must not (agentzero.md §2, “Response”).
 */
export function readGuestResponse(text: string): GuestResponse {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return malformed(`it is not JSON: ${preview(text)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return malformed(`it is not an object: ${preview(text)}`);
  const { success, output, error } = parsed as { success?: unknown; output?: unknown; error?: unknown };
  if (success === true) return readOutput(output);
  if (success === false) {
    return { status: RESULT.refused, text: typeof error === 'string' && error !== '' ? error : 'the plugin failed without saying why' };
  }
  return malformed(`it has no "success": ${preview(text)}`);
}

function readOutput(output: unknown): GuestResponse {
  if (output === undefined || output === null) return { status: RESULT.ok, text: '' };
  if (typeof output === 'string') return { status: RESULT.ok, text: output };
  if (!isShallow(output)) return malformed(`its output is nested deeper than ${MAX_DEPTH} levels`);
  const text = JSON.stringify(output);
  return { status: typeof output === 'object' && !Array.isArray(output) ? RESULT.structured : RESULT.ok, text };
}

function isShallow(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === 'object' && item !== null) for (const member of Object.values(item)) next.push(member);
    }
    if (next.length === 0) return true;
    level = next;
  }
  return false;
}

const malformed = (reason: string): GuestResponse => ({ status: RESULT.malformed, text: `answer not understood, ${reason}` });

const preview = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
