/** The rows of every table below a heading, up to the next heading of the same or a higher level; cells are trimmed. */
export function readTableBelow(markdown: string, heading: string): readonly (readonly string[])[] {
  const lines = readSection(markdown, heading).split('\n');
  return lines.filter((line, at) => line.startsWith('|') && !isHead(lines, at)).map(readCells);
}

/** The text below a heading (`## Keys`), up to the next heading of the same or a higher level. Throws where there is no such heading. */
export function readSection(markdown: string, heading: string): string {
  const lines = markdown.split('\n');
  const from = lines.indexOf(heading);
  if (from === -1) throw new Error(`the page has no heading ${JSON.stringify(heading)}`);
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => new RegExp(`^#{1,${level}} `).test(line));
  return rest.slice(0, to === -1 ? undefined : to).join('\n');
}

/** The texts in backticks of a text. */
export const readCodes = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

const isRule = (line: string | undefined): boolean => line !== undefined && /^\|[-|: ]+\|$/.test(line);
const isHead = (lines: readonly string[], at: number): boolean => isRule(lines[at]) || isRule(lines[at + 1]);

/** A pipe inside a cell is written `\|`. */
const readCells = (line: string): readonly string[] =>
  line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll(String.raw`\|`, '|'));
