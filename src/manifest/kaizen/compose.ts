import type { Language } from '../plugin.ts';
import type { ScriptPlan } from '../starters/starter.ts';

/** The main script of a plugin that we write, by language. */
export const MAIN_FILES = {
  python: 'main.py',
  node: 'main.js',
  typescript: 'main.ts',
  bash: 'main.sh',
  ruby: 'main.rb',
} as const satisfies Record<Language, string>;

/** The files of a plugin with one script, described by a `plugin.json` (kaizen.md, “Metadata sidecar”). Pure. */
export function composeScript(plan: ScriptPlan): Readonly<Record<string, string>> {
  const main = MAIN_FILES[plan.language];
  const manifest = {
    name: plan.name,
    version: plan.version,
    description: plan.description,
    language: plan.language,
    main,
    parameters: plan.parameters,
    ...(plan.capabilities.length === 0 ? {} : { capabilities: plan.capabilities }),
  };
  const tests = Object.entries(plan.tests).map(([name, test]) => [`tests/${name}.json`, formatJson(test)]);
  return { 'plugin.json': formatJson(manifest), [main]: endLine(plan.code), ...Object.fromEntries(tests) };
}

const formatJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
const endLine = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
