import type { Plugin } from './plugin.ts';
import type { ManifestProblem } from './problem.ts';

/** Entries of one plugin directory that are looked at; one with more is not read. */
export const MAX_PLUGIN_ENTRIES = 10_000;

/** The files of one plugin directory, as far as telling its system needs them. */
export interface PluginDirectory {
  /** Absolute and canonical. */
  readonly directory: string;
  /** The names of its entries, hidden ones included, sorted by bytes. */
  readonly names: readonly string[];
}

/** A plugin directory and the manifest that was recognised in it. */
export interface ManifestInput extends PluginDirectory {
  /** One of `names`. */
  readonly manifestFile: string;
}

/** A manifest in the normal form, or everything that keeps it from being used. */
export type ManifestReading =
  | { readonly ok: true; readonly plugin: Plugin }
  | {
      readonly ok: false;
      /** The name, where at least that could be read and is safe to show and to look up. */
      readonly name?: string;
      /** At least one. */
      readonly problems: readonly ManifestProblem[];
      readonly warnings: readonly ManifestProblem[];
    };

/** Directories that a system's own place may be relative to, absolute. */
export interface PlaceBases {
  readonly root: string;
  readonly home: string;
  /** `$XDG_CONFIG_HOME`. */
  readonly configHome: string;
  /** `$XDG_DATA_HOME`. */
  readonly dataHome: string;
}

/** Where a system keeps its own plugins; `workspace` places come with the root and are not trusted. */
export interface PluginPlace {
  readonly path: string;
  readonly origin: 'user' | 'workspace';
}

/** One plugin system: all that the rest of the program knows of it. Everything is synchronous and never throws. */
export interface Format {
  /** Its id, for display and audit. */
  readonly system: string;
  readonly title: string;
  /** The manifest's file name where everyone can see it, for messages. */
  readonly manifestName: string;
  /** The manifest file in a directory, when it is one of this system's. */
  recognises(directory: PluginDirectory): string | undefined;
  /** The file that makes a plugin of a directory in which no system has recognised a manifest; absent where one is needed. */
  recognisesAlone?(directory: PluginDirectory): string | undefined;
  /** Why a directory that looks like one of this system’s holds no plugin, and what is wanted. */
  explains?(directory: PluginDirectory): string | undefined;
  read(input: ManifestInput): ManifestReading;
  places(bases: PlaceBases): readonly PluginPlace[];
}
