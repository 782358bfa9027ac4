/**
 * The answer to a query. `capability` is what a grant would name; `reason` is a sentence fragment, `hint` a sentence that
 * says what a person can do.
 */
export type Verdict = Allowed | Denied | Asked;

export interface Allowed {
  readonly effect: 'allow';
  readonly source: 'built-in' | 'policy' | 'grant' | 'approval';
  /** For commands that have rules (`command-rules.ts`): run this instead of what was asked for. */
  readonly argv?: readonly string[];
}

export interface Denied {
  readonly effect: 'deny';
  readonly by: 'request' | 'grant' | 'policy';
  readonly capability: string;
  readonly reason: string;
  readonly hint: string;
}

/** A person’s approval would settle it. */
export interface Asked {
  readonly effect: 'ask';
  readonly capability: string;
  readonly reason: string;
  readonly hint: string;
}

/** Makes a refusal; `details.capability` is what would have to be allowed. */
export const denied = (by: Denied['by'], details: { capability: string; reason: string; hint: string }): Denied => ({
  effect: 'deny',
  by,
  ...details,
});
