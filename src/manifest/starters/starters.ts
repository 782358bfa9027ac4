import { composeScript } from '../kaizen/compose.ts';
import { startScript } from '../kaizen/starter.ts';
import type { ScriptPlan, Starter, StarterFiles } from './starter.ts';

/** The systems that a plugin can be begun for, each with a complete one that works; others have samples to copy. */
export const STARTERS = {
  kaizen: startScript,
} as const satisfies Record<string, Starter>;

export type StarterSystem = keyof typeof STARTERS;
export const isStarterSystem = (system: string): system is StarterSystem => Object.hasOwn(STARTERS, system);

/** Writes a described script plugin down in the one form in which we write them. */
export const composeScriptPlugin: (plan: ScriptPlan) => StarterFiles = composeScript;
