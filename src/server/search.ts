import type { Tool } from '../catalog/catalog.ts';

/** What a match in each place is worth; a keyword is the plugin author’s own word for what it is good for. */
const WEIGHTS = { keyword: 8, name: 6, title: 4, description: 2 } as const;
/** A query word that only begins a word found counts for half. */
const PREFIX_SHARE = 0.5;
const MAX_QUERY_WORDS = 16;

/**
 * Tools that fit a query, best first, at most `limit`. A tool scores for every query word that occurs in, or begins a word of,
 * its keywords, name, title or description; equal scores go by name, so that the same query has the same answer.
 */
export function searchTools(tools: readonly Tool[], query: string, limit: number): readonly Tool[] {
  const words = [...new Set(splitWords(query))].slice(0, MAX_QUERY_WORDS);
  return tools
    .map((tool) => ({ tool, score: scoreTool(tool, words) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || (a.tool.definition.name < b.tool.definition.name ? -1 : 1))
    .slice(0, limit)
    .map(({ tool }) => tool);
}

function scoreTool(tool: Tool, words: readonly string[]): number {
  const { name, title, description } = tool.definition;
  const fields = [
    { weight: WEIGHTS.keyword, found: splitWords(tool.plugin.keywords.join(' ')) },
    { weight: WEIGHTS.name, found: splitWords(`${name} ${tool.plugin.name} ${tool.command.name}`) },
    { weight: WEIGHTS.title, found: splitWords(title ?? '') },
    { weight: WEIGHTS.description, found: splitWords(`${description} ${tool.plugin.description}`) },
  ];
  let score = 0;
  for (const word of words) {
    for (const { weight, found } of fields) score += weight * matchWord(word, found);
  }
  return score;
}

function matchWord(word: string, found: readonly string[]): number {
  if (found.includes(word)) return 1;
  return word.length >= 3 && found.some((candidate) => candidate.startsWith(word)) ? PREFIX_SHARE : 0;
}

const splitWords = (text: string): string[] =>
  text
    .slice(0, 4000)
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];
