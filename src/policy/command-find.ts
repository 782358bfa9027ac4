import { operandIssue } from './command-operands.ts';
import type { CheckedArguments } from './command-rules.ts';

/**
 * The expressions that find may be given and what follows them. Left out is all that runs, deletes or writes: `-exec`,
 * `-execdir`, `-ok`, `-okdir`, `-delete`, `-fprint`, `-fprint0`, `-fprintf`, `-fls`; and `-files0-from`, `-L`, `-H`, `-follow`.
 */
const EXPRESSIONS: ReadonlyMap<string, 'none' | 'text' | 'path'> = new Map([
  ...wordsTo(
    'none',
    '-print -print0 -prune -quit -depth -d -mount -xdev -daystart -empty -readable -writable -executable -true -false -not -a -and -o -or ' +
      '-ls -nouser -nogroup -noleaf -warn -nowarn -ignore_readdir_race ! ( ) ,',
  ),
  ...wordsTo(
    'text',
    '-name -iname -path -ipath -wholename -iwholename -regex -iregex -regextype -lname -ilname -type -xtype -size -perm -user -group ' +
      '-uid -gid -links -inum -mtime -mmin -atime -amin -ctime -cmin -used -fstype -maxdepth -mindepth -printf -newermt -newerat -newerct',
  ),
  ...wordsTo('path', '-newer -anewer -cnewer -samefile'),
]);

function wordsTo(what: 'none' | 'text' | 'path', words: string): (readonly [string, 'none' | 'text' | 'path'])[] {
  return words.split(' ').map((word) => [word, what]);
}

/** Checks the arguments of find: starting points first, then expressions from the list. */
export function checkFind(args: readonly string[], root: string): CheckedArguments {
  const given = args[0] === '-P' ? args.slice(1) : args;
  const expressionAt = given.findIndex((arg) => arg.startsWith('-') || arg === '!' || arg === '(' || arg === ')' || arg === ',');
  const starts = expressionAt === -1 ? given : given.slice(0, expressionAt);
  const expression = expressionAt === -1 ? [] : given.slice(expressionAt);
  const issue = starts.map((path) => operandIssue(path, root)).find((found) => found !== undefined) ?? expressionIssue(expression, root);
  if (issue !== undefined) return { issue };
  return { args: ['-P', ...(starts.length === 0 ? ['.'] : starts), ...expression] };
}

function expressionIssue(expression: readonly string[], root: string): string | undefined {
  for (let at = 0; at < expression.length; at += 1) {
    const word = expression[at] ?? '';
    const follows = EXPRESSIONS.get(word);
    if (follows === undefined) return `the expression ${JSON.stringify(word)} is not among those allowed`;
    if (follows === 'none') continue;
    at += 1;
    const value = expression[at];
    if (value === undefined) return `the expression ${JSON.stringify(word)} lacks its value`;
    const issue = follows === 'path' ? operandIssue(value, root) : undefined;
    if (issue !== undefined) return issue;
  }
  return undefined;
}
