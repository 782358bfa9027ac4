import { createContext, Script } from 'node:vm';

/** Runs synchronous work and throws when it takes longer than `timeoutMs`, wherever it is by then. */
export type BoundedRun = <Result>(work: () => Result, timeoutMs: number) => Result;

/**
 * V8’s watchdog stops what is called from a script, even in the middle of a loop; it is the one way to interrupt work on
 * this very thread. About 0.1 ms for each run.
 */
export function createBoundedRun(): BoundedRun {
  const start = new Script('start()');
  let context: { start: () => void } | undefined;
  return (work, timeoutMs) => {
    context ??= createContext({ start: () => {} }) as { start: () => void };
    let result: { readonly value: ReturnType<typeof work> } | undefined;
    context.start = () => void (result = { value: work() });
    try {
      start.runInContext(context, { timeout: timeoutMs });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new Error(`it took longer than ${timeoutMs} ms`, { cause: error });
    } finally {
      context.start = () => {};
    }
    if (!result) throw new Error('the work ended without a result');
    return result.value;
  };
}
