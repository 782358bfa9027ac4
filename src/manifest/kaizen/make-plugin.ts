import { digestOf } from '../digest.ts';
import type { Findings } from '../findings.ts';
import type { PluginDirectory } from '../format.ts';
import type { Command, Limits, Plugin } from '../plugin.ts';
import { formatProblem, quote } from '../problem.ts';
import { isSemanticVersion } from '../text.ts';
import type { FoundScript } from './script-runtime.ts';

/** Kaizen’s plugins have no version: this one says that none was given, and comes before every version that is. */
const NO_VERSION = '0.0.0';

export interface PluginParts {
  readonly input: PluginDirectory;
  readonly manifestFile: string;
  readonly name: string;
  readonly script: FoundScript;
  readonly commands: readonly Command[];
  readonly findings: Findings;
  readonly described: {
    readonly version?: string | undefined;
    readonly description: string;
    readonly keywords?: readonly string[] | undefined;
    readonly enabled?: boolean | undefined;
    readonly requests: readonly string[];
    readonly limits: Limits;
  };
}

/** A script plugin in the normal form, once nothing is wrong with it. */
export function makePlugin({ input, manifestFile, name, script, commands, findings, described }: PluginParts): Plugin {
  const { version = NO_VERSION } = described;
  if (!isSemanticVersion(version)) findings.warn(['version'], `is ${quote(version)}: wanted a semantic version such as "1.2.3"`);
  return {
    id: name,
    system: 'kaizen',
    name,
    version,
    description: described.description,
    directory: input.directory,
    manifestFile,
    files: script.files,
    digest: digestOf(script.files),
    runtime: script.runtime,
    requests: [...described.requests],
    commands: [...commands],
    tags: [],
    keywords: [...new Set(described.keywords)],
    enabled: described.enabled ?? true,
    limits: described.limits,
    warnings: findings.warnings.map(formatProblem),
  };
}
