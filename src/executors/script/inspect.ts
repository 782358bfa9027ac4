import { join } from 'node:path';

import { HostError } from '../../errors.ts';
import type { Plugin, ScriptRuntime } from '../../manifest/plugin.ts';
import type { Inspection } from '../executor.ts';
import { checkSyntax, type SyntaxCheckOptions } from './languages/check-syntax.ts';
import { findMissingDependencies } from './dependencies/find-missing-dependencies.ts';
import type { Interpreters } from './languages/interpreters.ts';

export type InspectedScript = Pick<Plugin, 'directory' | 'files'> & { readonly runtime: ScriptRuntime };

const MAX_NAMED = 10;

/** Looks at a script without running anything: its main file is one of those that are trusted, its interpreter is there. */
export function inspectScript(plugin: InspectedScript, interpreters: Interpreters): Inspection {
  const { directory, files, runtime } = plugin;
  if (!Object.hasOwn(files, runtime.main)) {
    return { ok: false, problems: [`the script "${join(directory, runtime.main)}" is not among its files`] };
  }
  const interpreter = interpreters.find(runtime.language);
  return interpreter.ok ? { ok: true, warnings: describeMissing(plugin) } : { ok: false, problems: [interpreter.reason] };
}

/** The same, and the syntax of its files; see `checkSyntax`. Never rejects for anything in the files. */
export async function checkScript(plugin: InspectedScript, options: SyntaxCheckOptions): Promise<Inspection> {
  const inspection = inspectScript(plugin, options.interpreters);
  if (!inspection.ok) return inspection;
  try {
    const syntax = await checkSyntax({ ...plugin, ...plugin.runtime }, options);
    return syntax.ok ? { ok: true, warnings: [...inspection.warnings, ...syntax.warnings] } : syntax;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { ok: false, problems: [`its syntax cannot be checked: ${error.message}`] };
  }
}

/** What a script needs and does not find, as at most one warning. */
export function describeMissing(plugin: InspectedScript): readonly string[] {
  const missing = findMissingDependencies(plugin);
  if (missing.length === 0) return [];
  const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : '';
  return [`packages that it needs are not installed: ${missing.slice(0, MAX_NAMED).join(', ')}${more}; see plugbridge dependencies`];
}
