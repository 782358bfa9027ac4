/** One change of a text file: `find` stands in it exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** The text files of a draft: relative path → text. */
export type DraftTexts = ReadonlyMap<string, string>;

export type EditAnswer = { readonly ok: true; readonly texts: DraftTexts } | { readonly ok: false; readonly reason: string };

/** A file of fewer characters may be replaced as a whole: nothing is left of most changes to it. */
const SMALL_FILE_CHARACTERS = 400;
/** The share of a larger file that a patch may take away. */
const MAX_REPLACED_SHARE = 0.75;

/**
 * Applies the edits of a patch one after the other, all of them or none. A patch that replaces most of a file is a new draft
 * and no patch: kaizen.md, “patch mode from attempt 2”. Pure.
 */
export function applyPatch(texts: DraftTexts, edits: readonly Edit[]): EditAnswer {
  const changed = new Map(texts);
  const replaced = new Map<string, number>();
  for (const [index, { file, find, replace }] of edits.entries()) {
    const refuse = (reason: string): EditAnswer => ({ ok: false, reason: `edit ${index + 1}: ${reason}` });
    const text = changed.get(file);
    if (text === undefined) return refuse(`there is no text file "${file}", wanted is one of ${[...texts.keys()].join(', ')}`);
    if (find === '') return refuse('"find" is empty, wanted is text that stands in the file exactly once');
    const at = text.indexOf(find);
    if (at < 0) return refuse(`"find" does not stand in "${file}", wanted is text that stands in it exactly once`);
    if (text.includes(find, at + 1)) return refuse(`"find" stands in "${file}" more than once, wanted is more text around the place`);
    if (find === replace) return refuse('"replace" is the same as "find", so that nothing would change');
    changed.set(file, text.slice(0, at) + replace + text.slice(at + find.length));
    replaced.set(file, (replaced.get(file) ?? 0) + changedCharacters(find, replace));
  }
  for (const [file, count] of replaced) {
    const before = texts.get(file)?.length ?? 0;
    if (before > SMALL_FILE_CHARACTERS && count > before * MAX_REPLACED_SHARE) {
      return { ok: false, reason: `the patch rewrites "${file}": wanted are edits of the lines that have to change` };
    }
  }
  return { ok: true, texts: changed };
}

/** Lines around a change, which only say where it is, are not counted. */
function changedCharacters(find: string, replace: string): number {
  const shortest = Math.min(find.length, replace.length);
  let start = 0;
  while (start < shortest && find[start] === replace[start]) start++;
  let end = 0;
  while (end < shortest - start && find[find.length - 1 - end] === replace[replace.length - 1 - end]) end++;
  return find.length - start - end;
}
