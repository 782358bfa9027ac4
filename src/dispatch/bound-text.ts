import type { PutAnswer } from '../artifacts/store.ts';
import type { Artifact } from './outcome.ts';

export interface BoundText {
  /** Short enough; says so where it was cut. */
  readonly text: string;
  /** The whole of a text that was cut, where it could be kept. */
  readonly artifact?: Artifact;
  readonly truncated: boolean;
}

interface BoundTextOptions {
  /** Characters of text that a result may hold. */
  readonly maxCharacters: number;
  /** Keeps the whole text, or says why it could not. */
  keep(text: string): Promise<PutAnswer>;
}

/**
 * Cuts a text that clients would cut or drop, and keeps the whole of it as an artifact, readable as a resource and
 * through `plugbridge_read_artifact`, because some clients have no resources (DESIGN.md, “results”).
 */
export async function boundText(text: string, options: BoundTextOptions): Promise<BoundText> {
  if (text.length <= options.maxCharacters) return { text, truncated: false };
  const kept = await options.keep(text);
  const preview = cutAtCharacter(text, options.maxCharacters);
  const rest =
    kept.kind === 'stored'
      ? `the whole text is kept as ${kept.artifact.uri}: read it with plugbridge_read_artifact (offset, limit) or as a resource`
      : `the rest is lost: ${kept.reason}`;
  const note = `\n\n[cut after ${preview.length} of ${text.length} characters; ${rest}]`;
  return { text: preview + note, truncated: true, ...(kept.kind === 'stored' ? { artifact: kept.artifact } : {}) };
}

/** Cuts so that no surrogate pair is split. */
export function cutAtCharacter(text: string, maxCharacters: number): string {
  const last = text.charCodeAt(maxCharacters - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? maxCharacters - 1 : maxCharacters);
}
