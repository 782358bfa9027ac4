import { agentZero } from './agentzero/format.ts';
import type { Format, ManifestInput, ManifestReading, PluginDirectory } from './format.ts';

/** The plugin systems, by id; the first that recognises a directory reads it. */
export const FORMATS = {
  agentzero: agentZero,
} as const satisfies Record<string, Format>;

export type System = keyof typeof FORMATS;

/** A directory whose system is known. */
export interface RecognisedDirectory extends ManifestInput {
  readonly system: System;
}

/** Which system a directory belongs to, and its manifest; undefined for none that is known. */
export function tryRecognise(directory: PluginDirectory): RecognisedDirectory | undefined {
  for (const system of Object.keys(FORMATS) as System[]) {
    const manifestFile = FORMATS[system].recognises(directory);
    if (manifestFile !== undefined) return { ...directory, manifestFile, system };
  }
  return undefined;
}

/** Reads a recognised directory's manifest into the normal form. Never throws. */
export function readManifest(directory: RecognisedDirectory): ManifestReading {
  return FORMATS[directory.system].read(directory);
}

/** The manifest file names that are looked for, for messages. */
export function knownManifestNames(): readonly string[] {
  return Object.values(FORMATS).map((format) => format.manifestName);
}
