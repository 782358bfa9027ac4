import type { Language } from '../plugin.ts';

/** A plugin with one script, as somebody describes it who wants it written down. */
export interface ScriptPlan {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly language: Language;
  readonly parameters: readonly ScriptParameter[];
  /** Capability strings that it requests. */
  readonly capabilities: readonly string[];
  readonly code: string;
  /** By name, without directory and extension. */
  readonly tests: Readonly<Record<string, unknown>>;
}

export interface ScriptParameter {
  readonly name: string;
  readonly type: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
}

/** What a new plugin begins with: relative path → text. */
export type StarterFiles = Readonly<Record<string, string>>;

/** Writes a complete plugin of one system that works as it is. Pure. */
export type Starter = (options: { readonly name: string; readonly language: Language }) => StarterFiles;
