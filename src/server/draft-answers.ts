import type { CallToolResult } from '@modelcontextprotocol/server';
import type { DraftReport } from '../authoring/authoring.ts';
import { MAX_ATTEMPTS } from '../authoring/attempts.ts';
import type { TrialReport } from '../trials/run-trials.ts';

/** Images of one answer, which the caller looks at. */
const MAX_IMAGES = 8;
const MAX_IMAGE_CHARACTERS = 2_000_000;
const MAX_TEXT_CHARACTERS = 40_000;
const MAX_SHOWN_FINDINGS = 20;
/** Runs that are shown with what they printed; of more, only how they ended. */
const MAX_DETAILED_RUNS = 16;
const MAX_ARGUMENT_CHARACTERS = 500;

/** How a draft stands, in words that say what comes next, as data, and with the images that its runs made. */
export function showDraft(report: DraftReport): CallToolResult {
  const text = writeText(report);
  const { runs, ...rest } = report;
  const structuredContent = { ...rest, runs: runs.map((run, index) => toPlainRun(run, index < MAX_DETAILED_RUNS)) };
  const passed = report.status === 'passing' || report.status === 'copied';
  return {
    content: [{ type: 'text', text }, ...imagesOf(runs)],
    structuredContent,
    ...(passed ? {} : { isError: true }),
  };
}

function imagesOf(runs: readonly TrialReport[]): { type: 'image'; data: string; mimeType: string }[] {
  let characters = 0;
  return runs
    .flatMap(({ run }) => run?.images ?? [])
    .slice(0, MAX_IMAGES)
    .filter(({ data }) => (characters += data.length) <= MAX_IMAGE_CHARACTERS)
    .map(({ data, mimeType }) => ({ type: 'image', data, mimeType }));
}

function toPlainRun({ run, ...report }: TrialReport, inDetail: boolean): Record<string, unknown> {
  if (!run || !inDetail) return report;
  const { images: _images, arguments: args, ...rest } = run;
  return { ...report, run: { ...rest, arguments: showArguments(args) } };
}

/** As the text that was sent, for arguments can be as long as a message. */
const showArguments = (args: Readonly<Record<string, unknown>>): string => JSON.stringify(args).slice(0, MAX_ARGUMENT_CHARACTERS);

const OUTCOMES: Readonly<Record<DraftReport['status'], (report: DraftReport) => string>> = {
  copied: ({ name }) => `The draft "${name}" is a copy: change it with plugbridge_patch_plugin`,
  passing: ({ name, runs }) =>
    `The draft "${name}" passed${runs.some(({ status }) => status === 'ok') ? '' : ' its checks, but nothing of it was run'}. Look at what it gives; change it with plugbridge_patch_plugin, or propose it with plugbridge_propose_plugin`,
  failing: ({ name, attempt }) =>
    `Attempt ${attempt} of ${MAX_ATTEMPTS} at the draft "${name}" failed: patch what is wrong with plugbridge_patch_plugin`,
  closed: ({ name, attempt }) =>
    `Attempt ${attempt} of ${MAX_ATTEMPTS} at the draft "${name}" failed, and it is closed: tell the person what failed`,
};

function writeText(report: DraftReport): string {
  const lines = [
    OUTCOMES[report.status](report),
    ...report.problems.slice(0, MAX_SHOWN_FINDINGS).map((problem) => `problem: ${problem}`),
    ...report.warnings.slice(0, MAX_SHOWN_FINDINGS).map((warning) => `warning: ${warning}`),
    ...report.runs.slice(0, MAX_DETAILED_RUNS).flatMap(describeRun),
    `files: ${report.files.map(({ file }) => file).join(', ')}`,
    ...report.files.flatMap(({ file, text }) => (text === undefined ? [] : [`--- ${file}`, text])),
  ];
  const text = lines.join('\n');
  return text.length > MAX_TEXT_CHARACTERS ? `${text.slice(0, MAX_TEXT_CHARACTERS)}\n[cut after ${MAX_TEXT_CHARACTERS} characters]` : text;
}

function describeRun({ source, command, status, reason, differences, warnings, run }: TrialReport): string[] {
  return [
    `run ${command} (${source}): ${status}${reason === undefined ? '' : `: ${reason}`}`,
    ...(run ? [`  arguments: ${showArguments(run.arguments)}`, `  output: ${run.preview}`] : []),
    ...differences.map(({ path, expected, found }) => `  ${path === '' ? '' : `${path}: `}expected ${expected}, found ${found}`),
    ...warnings.map((warning) => `  warning: ${warning}`),
    ...(run?.log.map((line) => `  log: ${line}`) ?? []),
    ...(run?.artifacts.map(({ name, mimeType, bytes, uri }) => `  file: ${name} (${mimeType}, ${bytes} bytes) ${uri}`) ?? []),
  ];
}
