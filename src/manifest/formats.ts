import { agentZero } from './agentzero/format.ts';
import { kaizen } from './kaizen/format.ts';
import type { Format, ManifestInput, ManifestReading, PluginDirectory } from './format.ts';

/** The plugin systems, by id; the first that recognises a directory reads it. */
export const FORMATS = {
  kaizen,
  agentzero: agentZero,
} as const satisfies Record<string, Format>;

export type System = keyof typeof FORMATS;

/** A directory whose system is known. */
export interface RecognisedDirectory extends ManifestInput {
  readonly system: System;
}

/** Which system a directory belongs to, and its manifest; undefined for none that is known. */
export function tryRecognise(directory: PluginDirectory): RecognisedDirectory | undefined {
  return tryRecogniseManifest(directory) ?? tryRecogniseAlone(directory);
}

/** As `tryRecognise`, by manifests only: what a directory is that may also hold plugins. */
export function tryRecogniseManifest(directory: PluginDirectory): RecognisedDirectory | undefined {
  return recogniseBy(directory, (format) => format.recognises(directory));
}

/** As `tryRecognise`, of a directory that has no manifest. */
export function tryRecogniseAlone(directory: PluginDirectory): RecognisedDirectory | undefined {
  return recogniseBy(directory, (format) => format.recognisesAlone?.(directory));
}

function recogniseBy(directory: PluginDirectory, find: (format: Format) => string | undefined): RecognisedDirectory | undefined {
  for (const system of Object.keys(FORMATS) as System[]) {
    const manifestFile = find(FORMATS[system]);
    if (manifestFile !== undefined) return { ...directory, manifestFile, system };
  }
  return undefined;
}

/** Why no system recognises a directory, where one can tell. */
export function explainUnrecognised(directory: PluginDirectory): string | undefined {
  return Object.values<Format>(FORMATS)
    .map((format) => format.explains?.(directory))
    .find((reason) => reason !== undefined);
}

/** Reads a recognised directory's manifest into the normal form. Never throws. */
export function readManifest(directory: RecognisedDirectory): ManifestReading {
  return FORMATS[directory.system].read(directory);
}

/** The manifest file names that are looked for, for messages. */
export function knownManifestNames(): readonly string[] {
  return Object.values(FORMATS).map((format) => format.manifestName);
}
