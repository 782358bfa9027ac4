import type { Language } from '../plugin.ts';
import { textSchema } from '../text.ts';

const MAX_CHARACTERS = 500;
/** As far into the script as a description is looked for. */
const LOOKED_AT = 16 * 1024;

const DescriptionSchema = textSchema({ wanted: 'a string', maxCharacters: MAX_CHARACTERS }).min(1);

/** Lines that speak to tools: interpreters, linters, editors, and notices of licences. */
const FOR_TOOLS =
  /^(?:!|-\*-|.*\bcoding[:=]|vim?:|frozen_string_literal:|eslint|prettier|oxlint|biome|@ts-|shellcheck|rubocop|pylint|ruff:|noqa|type:|mypy:|SPDX-|copyright\b)/i;

/**
 * The first paragraph of the comment that a script begins with, or of Python’s docstring, on one line: what a plugin without
 * a manifest is described by. Undefined where there is none, or none that is safe to show. Never throws.
 */
export function readLeadingComment(bytes: Uint8Array, language: Language): string | undefined {
  const text = new TextDecoder('utf-8').decode(bytes.subarray(0, LOOKED_AT));
  const paragraph = firstParagraph(readCommentLines(text.split(/\r?\n/), language));
  const cut = paragraph.length > MAX_CHARACTERS ? `${paragraph.slice(0, MAX_CHARACTERS - 1)}…` : paragraph;
  const parsed = DescriptionSchema.safeParse(cut);
  return parsed.success ? parsed.data : undefined;
}

const LINE_MARK = { python: '#', bash: '#', ruby: '#', node: '//', typescript: '//' } as const satisfies Record<Language, string>;

/** How a longer comment begins and ends. */
const BLOCKS = {
  python: [/^[rRuU]?("""|''')/, (mark) => mark],
  node: [/^(\/\*)\*?/, () => '*/'],
  typescript: [/^(\/\*)\*?/, () => '*/'],
  ruby: [/^(=begin)\b/, () => '=end'],
  bash: undefined,
} as const satisfies Record<Language, readonly [RegExp, (mark: string) => string] | undefined>;

function readCommentLines(lines: readonly string[], language: Language): readonly string[] {
  const mark = LINE_MARK[language];
  const found: string[] = [];
  for (const [index, line] of lines.entries()) {
    const trimmed = line.trim();
    if (trimmed.startsWith(mark)) {
      const comment = trimmed
        .slice(mark.length)
        .replace(/^[#/]*(?=\s)/, '')
        .trim();
      if (!FOR_TOOLS.test(comment)) found.push(comment);
      continue;
    }
    if (trimmed === '' || /^(?:#!.*|["']use strict["'];?)$/.test(trimmed)) {
      found.push('');
      continue;
    }
    // A comment of lines that is there is the description; the docstring of a function below it is not.
    return found.some((one) => one !== '') ? found : readBlock(lines.slice(index), language);
  }
  return found;
}

function readBlock(lines: readonly string[], language: Language): readonly string[] {
  const block: readonly [RegExp, (mark: string) => string] | undefined = BLOCKS[language];
  const [opening, mark = ''] = block?.[0].exec((lines[0] ?? '').trim()) ?? [];
  if (block === undefined || opening === undefined) return [];
  const text = lines.join('\n').trimStart().slice(opening.length);
  const end = text.indexOf(block[1](mark));
  return (end === -1 ? [] : text.slice(0, end).split('\n'))
    .map((line) =>
      line
        .trim()
        .replace(/^\*+\s?/, '')
        .trim(),
    )
    .filter((line) => !FOR_TOOLS.test(line));
}

function firstParagraph(lines: readonly string[]): string {
  const start = lines.findIndex((line) => line !== '');
  if (start === -1) return '';
  const end = lines.indexOf('', start);
  return lines.slice(start, end === -1 ? undefined : end).join(' ');
}
