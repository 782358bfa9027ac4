import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { expect, test } from 'vitest';

import { readPage, REPOSITORY } from '../../helpers/console-examples.ts';

const FOLDERS = ['.', 'docs', ...readdirSync(join(REPOSITORY, 'plugins')).map((name) => `plugins/${name}`)];
const PAGES = FOLDERS.flatMap((folder) =>
  readdirSync(join(REPOSITORY, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** GitHub’s rule: lower case, everything but letters, digits, `_`, `-` and spaces dropped, spaces to dashes. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');

const withoutCode = (markdown: string): string => markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '');

function findLinks(markdown: string): readonly string[] {
  const inText = [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  const inHtml = [...withoutCode(markdown).matchAll(/<(?:img|a|source)\b[^>]*?\s(?:src|href|srcset)="([^"]+)"/g)].map(
    ([, target = '']) => target,
  );
  return [...inText, ...inHtml].filter((target) => !/^[a-z]+:/.test(target));
}

function anchorsOf(markdown: string): readonly string[] {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} (.+)$/gm);
  return [...headings].map(([, heading = '']) => anchorOf(heading));
}

test.for(PAGES)('every relative link of %s leads somewhere', (page) => {
  const broken = findLinks(readPage(page)).filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(REPOSITORY, page) : resolve(REPOSITORY, dirname(page), path);
    if (!existsSync(target)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('README.md links every page of docs', () => {
  const linked = findLinks(readPage('README.md'));
  const pages = readdirSync(join(REPOSITORY, 'docs')).map((name) => `docs/${name}`);
  expect(pages.filter((path) => !linked.includes(path))).toEqual([]);
});

test('AGENTS.md has fewer than 100 lines', () => {
  expect(readPage('AGENTS.md').split('\n').length).toBeLessThan(100);
});
