/** A call that began and of whose end there is no record. */
export interface UnfinishedCall {
  readonly callId: string;
  readonly plugin: string;
  readonly command: string;
  readonly time: string;
  /** Whether its process ended in order; if not, it was killed, or runs still. */
  readonly chainClosed: boolean;
}

/** Pairs intents with outcomes. */
export interface CallCheck {
  intent(chain: string, call: Omit<UnfinishedCall, 'chainClosed'>): void;
  outcome(chain: string, callId: string): void;
  close(chain: string): void;
  end(): readonly UnfinishedCall[];
}

/** More calls at once than any host runs; the oldest give way. */
const MAX_OPEN = 10_000;
const MAX_KEPT = 1000;

export function createCallCheck(): CallCheck {
  const open = new Map<string, Map<string, Omit<UnfinishedCall, 'chainClosed'>>>();
  const unfinished: UnfinishedCall[] = [];

  const giveUp = (chain: string, chainClosed: boolean): void => {
    for (const call of open.get(chain)?.values() ?? []) if (unfinished.length < MAX_KEPT) unfinished.push({ ...call, chainClosed });
    open.delete(chain);
  };
  return {
    intent(chain, call) {
      const calls = open.get(chain) ?? new Map<string, Omit<UnfinishedCall, 'chainClosed'>>();
      open.set(chain, calls.set(call.callId, call));
      const [oldest] = calls.keys();
      if (calls.size > MAX_OPEN && oldest !== undefined) calls.delete(oldest);
    },
    outcome: (chain, callId) => void open.get(chain)?.delete(callId),
    close: (chain) => giveUp(chain, true),
    end() {
      for (const chain of open.keys()) giveUp(chain, false);
      return unfinished;
    },
  };
}
