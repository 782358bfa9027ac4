import { isWithin, splitPath } from './path-pattern.ts';
import { findSensitiveName } from './sensitive-names.ts';

/**
 * Says what is wrong with a file operand; undefined when it lies inside the root and has no sensitive name. Lexical only:
 * the sandbox, in which nothing but the root is mounted, is the second lock.
 */
export function operandIssue(operand: string, root: string): string | undefined {
  if (operand === '-') return undefined;
  if (operand === '') return 'a path is empty';
  const quoted = JSON.stringify(operand);
  const segments = splitPath(operand);
  if (segments.includes('..')) return `the path ${quoted} holds ".."`;
  const rootSegments = splitPath(root);
  const isAbsolute = operand.startsWith('/');
  if (isAbsolute && !isWithin(rootSegments, segments)) return `the path ${quoted} lies outside the root`;
  const relative = (isAbsolute ? segments.slice(rootSegments.length) : segments).filter((segment) => segment !== '.');
  const name = findSensitiveName(relative, 'read');
  return name === undefined ? undefined : `the path ${quoted} names "${name}", which is never read by plugins`;
}

/** The same for git’s operands, which may also be revisions, ranges and `revision:path`. */
export function gitOperandIssue(operand: string, root: string): string | undefined {
  const rootPrefix = root.endsWith('/') ? root : `${root}/`;
  const rest = operand.startsWith(rootPrefix) ? operand.slice(rootPrefix.length) : operand === root ? '.' : operand;
  if (rest.startsWith('/')) return `the path ${JSON.stringify(operand)} lies outside the root`;
  // `HEAD:../x` and pathspec magic put a colon where a path begins.
  const segments = rest.split(/[/:)]/);
  if (segments.includes('..')) return `the operand ${JSON.stringify(operand)} holds ".." as a path`;
  const name = findSensitiveName(
    segments.filter((segment) => segment !== '' && segment !== '.'),
    'read',
  );
  return name === undefined ? undefined : `the operand ${JSON.stringify(operand)} names "${name}", which is never read by plugins`;
}
