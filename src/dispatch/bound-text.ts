import type { PutAnswer } from '../artifacts/store.ts';
import type { Artifact, Content } from './outcome.ts';

export interface BoundText {
  readonly content: readonly Content[];
  readonly artifacts: readonly Artifact[];
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
  if (text.length <= options.maxCharacters) return { content: [{ type: 'text', text }], artifacts: [], truncated: false };
  const kept = await options.keep(text);
  const artifact = kept.kind === 'stored' ? kept.artifact : undefined;
  const preview = cutAtCharacter(text, options.maxCharacters);
  const rest =
    kept.kind === 'stored'
      ? `the whole text is kept as ${kept.artifact.uri}: read it with plugbridge_read_artifact (offset, limit) or as a resource`
      : `the rest is lost: ${kept.reason}`;
  const note = `\n\n[cut after ${preview.length} of ${text.length} characters; ${rest}]`;
  const link: Content[] = artifact
    ? [{ type: 'resource_link', uri: artifact.uri, name: artifact.name, mimeType: artifact.mimeType, size: artifact.bytes }]
    : [];
  return { content: [{ type: 'text', text: preview + note }, ...link], artifacts: artifact ? [artifact] : [], truncated: true };
}

/** Cuts so that no surrogate pair is split. */
export function cutAtCharacter(text: string, maxCharacters: number): string {
  const last = text.charCodeAt(maxCharacters - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? maxCharacters - 1 : maxCharacters);
}
