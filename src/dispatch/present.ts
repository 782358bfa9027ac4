import type { Refusal } from '../executors/executor.ts';
import type { BoundText } from './bound-text.ts';
import type { KeptFile } from './keep-files.ts';
import { toOneLine } from './one-line.ts';
import type { Artifact, Content, Outcome } from './outcome.ts';

/** What a call leaves to be shown besides its text. */
export interface Remarks {
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
  readonly kept: readonly KeptFile[];
}

type Presented = Pick<Outcome, 'content' | 'artifacts' | 'truncated'>;

/**
 * Puts a result in the order that it is read in: its text, what was refused, warnings, images, links. Clients that show
 * only the first text still show the answer.
 */
export function present({ text, artifact, truncated }: BoundText, { refusals, warnings, kept }: Remarks): Presented {
  const content: Content[] = [{ type: 'text', text }];
  if (refusals.length > 0) content.push(describeRefusals(refusals));
  if (warnings.length > 0) content.push(describeWarnings(warnings));
  if (artifact === undefined && kept.length === 0) return { content, artifacts: NO_ARTIFACTS, truncated };
  const links = artifact === undefined ? [] : [linkTo(artifact)];
  for (const file of kept) {
    if (file.image !== undefined) content.push(file.image);
    links.push(linkTo(file.artifact, file.description));
  }
  const artifacts = [...(artifact === undefined ? [] : [artifact]), ...kept.map((file) => file.artifact)];
  return { content: [...content, ...links], artifacts, truncated };
}

const NO_ARTIFACTS: readonly Artifact[] = [];

const linkTo = ({ uri, name, mimeType, bytes }: Artifact, description?: string): Content => ({
  type: 'resource_link',
  uri,
  name,
  mimeType,
  size: bytes,
  ...(description === undefined ? {} : { description }),
});

const MAX_REFUSALS = 5;

/** The plugin saw only error values; the model needs to know what was refused and what a person can do. */
function describeRefusals(refusals: readonly Refusal[]): Content {
  const lines = refusals.slice(0, MAX_REFUSALS).map(({ capability, by, reason }) => `- ${capability} (by ${by}): ${reason}`);
  const more = refusals.length > MAX_REFUSALS ? `\n- and ${refusals.length - MAX_REFUSALS} more` : '';
  return { type: 'text', text: `Refused during this call:\n${lines.join('\n')}${more}` };
}

const MAX_WARNINGS = 20;
const MAX_WARNING_CHARACTERS = 500;

/** Warnings may hold names that a plugin chose, which must not look like lines of ours. */
function describeWarnings(warnings: readonly string[]): Content {
  const lines = warnings.slice(0, MAX_WARNINGS).map((warning) => `- ${toOneLine(warning, MAX_WARNING_CHARACTERS)}`);
  const more = warnings.length > MAX_WARNINGS ? `\n- and ${warnings.length - MAX_WARNINGS} more` : '';
  return { type: 'text', text: `Warnings:\n${lines.join('\n')}${more}` };
}
