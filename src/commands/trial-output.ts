import { join } from 'node:path';

import { contentPath } from '../artifacts/artifact-files.ts';
import { tryParseArtifactUri } from '../artifacts/artifact-name.ts';
import type { Artifact } from '../dispatch/outcome.ts';
import type { Host } from '../host.ts';
import { showValue } from '../trials/match-expected.ts';
import type { TrialReport } from '../trials/run-trials.ts';
import { bold, printable, type Output } from './output.ts';

/** Characters of a result that are shown when nothing went wrong. */
const PREVIEW_CHARACTERS = 200;

/** A file that a run left, with where a person finds it. */
type KeptFile = Artifact & { readonly path: string };

/** A report as JSON: content that only clients can show is named by its file. */
export function toJsonReport(host: Host, { run, ...report }: TrialReport): object {
  if (!run) return report;
  const { images: _images, artifacts, ...rest } = run;
  return { ...report, run: { ...rest, artifacts: artifacts.map((artifact) => locate(host, artifact)) } };
}

function locate({ own }: Host, artifact: Artifact): KeptFile {
  const place = tryParseArtifactUri(artifact.uri);
  return { ...artifact, path: place ? contentPath(join(own.state, 'artifacts'), place.callId, place.name) : artifact.uri };
}

/** One report on one line, and below it what a person has to look at. */
export function writeReport(host: Host, report: TrialReport, output: Output): void {
  const { run, status } = report;
  const time = run ? ` ${Math.round(run.durationMs)} ms` : '';
  const what = status === 'ok' ? firstLine(run?.preview ?? '') : (report.reason ?? '');
  output.write(`${bold(status.padEnd(7), output)}  ${printable(`${report.command || '?'} (${report.source})`)}${time}: ${printable(what)}`);
  for (const { path, expected, found } of report.differences) {
    const place = path === '' ? '' : `${path}: `;
    output.write(
      `           ${printable(`${place}expected ${expected}`)}\n           ${' '.repeat(place.length)}   found ${printable(found)}`,
    );
  }
  if (status === 'failed' && run) {
    output.write(`           arguments ${printable(showValue(run.arguments))}`);
    for (const line of run.log) output.write(`           log ${printable(line)}`);
  }
  for (const warning of report.warnings) output.write(`           warning: ${printable(warning)}`);
  for (const artifact of run?.artifacts ?? []) {
    const { name, mimeType, bytes, path } = locate(host, artifact);
    output.write(`           ${printable(`${name} (${mimeType}, ${bytes} bytes) ${path}`)}`);
  }
}

const firstLine = (text: string): string => {
  const [line = ''] = text.split('\n', 1);
  return line.length > PREVIEW_CHARACTERS || text.length > line.length ? `${line.slice(0, PREVIEW_CHARACTERS)}…` : line;
};
