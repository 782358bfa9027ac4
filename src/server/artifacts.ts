import type { Artifact } from '../dispatch/outcome.ts';

/** A stretch of an artifact. */
export interface ArtifactPage {
  readonly artifact: Artifact;
  readonly bytes: Uint8Array;
  /** Absent for binary content. */
  readonly text?: string;
  /** Where the page begins. */
  readonly offsetBytes: number;
  /** Where the next one begins; absent at the end. */
  readonly nextOffsetBytes?: number;
}

export type ArtifactAnswer =
  | { readonly kind: 'found'; readonly page: ArtifactPage }
  | { readonly kind: 'missing'; readonly reason: string };

/** What the server needs of the artifact store. */
export interface ArtifactReader {
  /** `missing` when there is no such artifact, whatever the URI looks like. */
  read(uri: string, range: { readonly offsetBytes: number; readonly limitBytes: number }): Promise<ArtifactAnswer>;
  list(): Promise<readonly Artifact[]>;
}
