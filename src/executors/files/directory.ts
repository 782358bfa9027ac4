import { errnoOf, FileProblem } from './result.ts';
import type { Spot, Tree } from './tree.ts';

/**
 * Makes a directory and its parents, one component at a time, each verified before the next (sandbox.md §D row 7).
 * `allow` is asked for the whole path before the first is made, then for each one. Throws FileProblem.
 */
export function makeDirectories(tree: Tree, segments: readonly string[], allow: (canonical: string) => void): void {
  let current = tree.find([]);
  let asked = false;
  try {
    for (const [index, name] of segments.entries()) {
      let next = tryStep(tree, current, name);
      if (next === undefined) {
        if (!asked) allow(joinCanonical(current, segments.slice(index)));
        asked = true;
        next = makeStep(tree, current, { name, allow });
      }
      tree.release(current);
      current = next;
      if (current.kind !== 'directory') throw new FileProblem('not-a-directory', 'something that is no directory has this name');
    }
    allow(current.canonical);
  } finally {
    tree.release(current);
  }
}

/** The canonical path of something that does not exist yet. */
export function joinCanonical(directory: Spot, segments: readonly string[]): string {
  const separator = directory.canonical.includes('\\') && process.platform === 'win32' ? '\\' : '/';
  const base = directory.canonical.endsWith(separator) ? directory.canonical.slice(0, -1) : directory.canonical;
  return [base, ...segments].join(separator);
}

function tryStep(tree: Tree, directory: Spot, name: string): Spot | undefined {
  try {
    return tree.find([name], directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function makeStep(tree: Tree, directory: Spot, { name, allow }: { name: string; allow: (canonical: string) => void }): Spot {
  allow(joinCanonical(directory, [name]));
  try {
    tree.makeDirectory(directory, name);
  } catch (error) {
    // Somebody else may have made it meanwhile, or it is a dangling symlink; what stands there now decides.
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const made = tree.findEntry(directory, name);
  if (made === undefined) throw new FileProblem('moved', 'it disappeared while it was being made');
  if (made.kind !== 'symlink') return made;
  tree.release(made);
  throw new FileProblem('symlink', 'it leads through a symlink that ends nowhere');
}
