import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Removes the oldest bundles beyond `keep`, but never `except`. Best effort: each can be made again. */
export function pruneBundles(directory: string, { keep, except }: { readonly keep: number; readonly except: string }): void {
  try {
    const bundles = readdirSync(directory)
      .map((name) => join(directory, name))
      .filter((path) => path !== except)
      .map((path) => ({ path, writtenMs: statSync(path).mtimeMs }))
      .sort((a, b) => b.writtenMs - a.writtenMs);
    for (const { path } of bundles.slice(Math.max(0, keep - 1))) rmSync(path, { recursive: true, force: true });
  } catch {
    // Another process prunes as well.
  }
}
