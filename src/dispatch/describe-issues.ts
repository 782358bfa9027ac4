import type { ArgumentIssue } from '../catalog/catalog.ts';

/** Argument issues as one sentence fragment that names each path, for a model to act on. */
export function describeIssues(issues: readonly ArgumentIssue[]): string {
  return issues.map(({ path, message }) => `${path === '' ? 'the arguments' : `"${path}"`} ${message}`).join('; ');
}
