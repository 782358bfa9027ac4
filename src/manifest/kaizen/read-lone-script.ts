import { basename } from 'node:path';

import { createFindings } from '../findings.ts';
import type { ManifestInput, ManifestReading } from '../format.ts';
import { readAnnotations } from '../plugin-toml/annotations.ts';
import { SCRIPT_LIMITS } from '../plugin.ts';
import { quote } from '../problem.ts';
import { isSafeName } from '../text.ts';
import { languageOf } from './find-script.ts';
import { readLeadingComment } from './leading-comment.ts';
import { makePlugin } from './make-plugin.ts';
import { findScriptRuntime } from './script-runtime.ts';

/** Makes a plugin of a directory that holds a script and no manifest: any arguments, no requests (kaizen.md, PROPOSED). */
export function readLoneScript(input: ManifestInput): ManifestReading {
  const main = input.manifestFile;
  const findings = createFindings({ file: main });
  const name = basename(input.directory);
  if (!isSafeName(name)) {
    findings.problem([], `lies in ${quote(name)}, which is no name for a plugin: wanted another directory, or a plugin.json with a name`);
  }
  const script = findScriptRuntime({
    input,
    language: languageOf(main),
    main: undefined,
    settings: {},
    path: [],
    languageKey: 'language',
    findings,
  });
  if (script === undefined || findings.problems.length > 0) {
    return { ok: false, ...(isSafeName(name) ? { name } : {}), problems: findings.problems, warnings: findings.warnings };
  }
  const description = readLeadingComment(script.bytes, script.runtime.language) ?? `Runs ${script.runtime.main}`;
  const annotations = readAnnotations({}, [], { path: [], findings });
  return {
    ok: true,
    plugin: makePlugin({
      input,
      manifestFile: script.runtime.main,
      name,
      script,
      commands: [{ name: 'run', description, inputSchema: { type: 'object' }, annotations }],
      findings,
      described: { description, requests: [], limits: { ...SCRIPT_LIMITS } },
    }),
  };
}
