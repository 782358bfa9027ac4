const PREFIX = 'env:';
const NONE: Readonly<Record<string, string>> = {};

/** The names of the variables among some capabilities. */
export const listVariables = (capabilities: readonly string[]): readonly string[] =>
  capabilities.filter((text) => text.startsWith(PREFIX)).map((text) => text.slice(PREFIX.length));

/** The server’s own variables of these names, as far as they are set. */
export function pickVariables(names: readonly string[], environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  if (names.length === 0) return NONE;
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
