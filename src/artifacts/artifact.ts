import { z } from 'zod';

/** A file that a call produced, kept by the artifact store. */
export const ArtifactSchema = z.strictObject({
  uri: z.string().describe('artifact://<call id>/<name>'),
  name: z.string(),
  mimeType: z.string(),
  bytes: z.int().nonnegative(),
  digest: z.string().describe('sha256:<hex> of the content'),
});
export type Artifact = Readonly<z.infer<typeof ArtifactSchema>>;

/** What the store keeps beside each file. */
export const SidecarSchema = z.strictObject({
  ...ArtifactSchema.shape,
  createdMs: z.number().describe('milliseconds since 1970, UTC'),
  encoding: z.enum(['utf8', 'binary']).describe('whether the content is valid UTF-8 that is meant as text'),
});
export type StoredArtifact = Readonly<z.infer<typeof SidecarSchema>>;
