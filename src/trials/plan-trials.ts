import type { Tool } from '../catalog/catalog.ts';
import { deriveArguments } from './derive-arguments.ts';
import { ADD_A_TEST, type TestCase } from './test-case.ts';
import { type PluginTest } from './test-file.ts';

/** One run of a command that is to be made. */
export interface Trial {
  /** The test file, or `derived` where the arguments were made from the schema. */
  readonly source: string;
  readonly tool: Tool;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What a test file expects; absent when nobody wrote down what should come out. */
  readonly test?: TestCase;
}

export type PlannedTrial =
  | { readonly kind: 'run'; readonly trial: Trial }
  /** Not run, and no fault of the plugin. `reason` is a sentence fragment. */
  | { readonly kind: 'skip'; readonly source: string; readonly command: string; readonly reason: string }
  /** The test itself is wrong. */
  | { readonly kind: 'wrong'; readonly source: string; readonly command: string; readonly reason: string };

/** More runs than that make no plugin better known. */
const MAX_DERIVED = 64;

export interface PlanOptions {
  /** Whether runs get nothing that they could change, so that made-up arguments do no harm. */
  readonly harmless?: boolean;
}

/**
 * Which runs show what a plugin does: its tests, and one run with arguments from the schema for every command that no test
 * calls. A command that may change something is not run with made-up arguments, unless it is harmless. Pure.
 */
export function planTrials(tools: readonly Tool[], tests: readonly PluginTest[], options: PlanOptions = {}): readonly PlannedTrial[] {
  const planned = planTests(tools, tests);
  const tested = new Set(planned.map((one) => (one.kind === 'run' ? one.trial.tool.command.name : one.command)));
  const others = tools.filter((tool) => !tested.has(tool.command.name)).slice(0, MAX_DERIVED);
  return [...planned, ...others.map((tool) => planDerived(tool, options))];
}

/** The runs that test files ask for. Pure. */
export function planTests(tools: readonly Tool[], tests: readonly PluginTest[]): readonly PlannedTrial[] {
  return tests.map(({ file, test }) => planTest(tools, file, test));
}

function planTest(tools: readonly Tool[], source: string, test: TestCase): PlannedTrial {
  const known = tools.map((tool) => tool.command.name).join(', ');
  const [only, ...more] = tools;
  const tool = test.command === undefined ? (more.length === 0 ? only : undefined) : tools.find((one) => one.command.name === test.command);
  const command = test.command ?? '';
  if (tool) return { kind: 'run', trial: { source, tool, arguments: test.arguments, test } };
  if (test.command === undefined) return { kind: 'wrong', source, command, reason: `"command" is missing: wanted is one of ${known}` };
  return {
    kind: 'wrong',
    source,
    command,
    reason: `"command" is "${test.command}", which the plugin does not have: wanted is one of ${known}`,
  };
}

function planDerived(tool: Tool, { harmless = false }: PlanOptions): PlannedTrial {
  const command = tool.command.name;
  const skip = (reason: string): PlannedTrial => ({ kind: 'skip', source: DERIVED, command, reason: `${reason}: ${ADD_A_TEST}` });
  if (!harmless && tool.command.annotations.readOnly !== true) return skip('it may change something, and made-up arguments could do harm');
  const derived = deriveArguments(tool.definition.inputSchema);
  if (!derived.ok) return skip(derived.reason);
  const [issue] = tool.checkArguments(derived.arguments);
  if (issue) return skip(`no arguments can be made from its schema ("${issue.path}" ${issue.message})`);
  return { kind: 'run', trial: { source: DERIVED, tool, arguments: derived.arguments } };
}

/** The source of runs that no test file asks for. */
const DERIVED = 'derived';
