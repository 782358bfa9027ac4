import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createBlockingFetch, type BlockingFetch } from '../helpers/blocking-fetch.ts';
import { buildPlugins, callGuest, loadGuest, PLUGINS, type GuestReply } from '../helpers/guest.ts';

/** Pages in the form of the action API, `formatversion=2` (mediawiki.org/wiki/API:JSON_version_2). */
const PAGES: Readonly<Record<string, unknown>> = {
  WebAssembly: {
    pageid: 1,
    ns: 0,
    title: 'WebAssembly',
    extract: 'WebAssembly (Wasm) is a “portable” format. \n',
    description: 'Cross-platform assembly language',
    fullurl: 'https://en.wikipedia.org/wiki/WebAssembly',
  },
  Mercury: {
    title: 'Mercury',
    extract: 'Mercury may refer to:',
    pageprops: { disambiguation: '' },
    fullurl: 'https://en.wikipedia.org/wiki/Mercury',
  },
  'C♯ & "more"?': { title: 'C♯', extract: '', fullurl: 'https://en.wikipedia.org/wiki/C' },
  Nowhere: { ns: 0, title: 'Nowhere', missing: true },
  '<x>': { title: '<x>', invalid: true, invalidreason: 'The requested page title contains invalid characters: "<".' },
  Long: {
    title: 'Long',
    extract: `Intro\n\n\n== History ==\n${'😀'.repeat(400)}\n=== Early ===\n= no =\n== ==\nend`,
    fullurl: 'https://x/Long',
  },
};
const SEARCH = {
  query: {
    searchinfo: { totalhits: 2 },
    search: [
      {
        ns: 0,
        title: 'WebAssembly',
        snippet: '<span class="searchmatch">Wasm</span> &amp; JS &lt;b&gt; &#039;x&#039; &#x1F600; &bogus; &\n next',
      },
      { ns: 0, title: 'Empty', snippet: '<unclosed' },
    ],
  },
};
const FIXED: Readonly<Record<string, readonly [number, string]>> = {
  '/busy': [429, ''],
  '/broken': [500, ''],
  '/html': [200, '<html>'],
  '/list': [200, '[]'],
  '/error': [200, '{"error":{"code":"maxlag","info":"Waiting for a database"}}'],
  '/none': [200, '{"batchcomplete":true}'],
  '/empty': [200, '{"query":{"searchinfo":{"suggestion":"wasm"},"search":[]}}'],
};

const SERVER = `
  const { createServer } = require('node:http');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    const base = url.pathname.replace('/w/api.php', '');
    const [status, body] = workerData.fixed[base] ?? [200, JSON.stringify(url.searchParams.get('list') === 'search'
      ? workerData.search
      : { query: { pages: [workerData.pages[url.searchParams.get('titles')]] } })];
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    parentPort.postMessage({ method: request.method, agent: request.headers['user-agent'], query: Object.fromEntries(url.searchParams) });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

interface Seen {
  readonly method: string;
  readonly agent: string;
  readonly query: Readonly<Record<string, string>>;
}

let guest: WebAssembly.Module;
let server: Worker;
let address: string;
let fetcher: BlockingFetch;

// The guest's call blocks this thread, hence a server in another one.
beforeAll(async () => {
  await buildPlugins();
  guest = loadGuest(join(PLUGINS, 'wikipedia/wikipedia.wasm'));
  server = new Worker(SERVER, { eval: true, workerData: { pages: PAGES, search: SEARCH, fixed: FIXED } });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('message', resolve);
    server.once('error', reject);
  });
  address = `127.0.0.1:${port}`;
  fetcher = createBlockingFetch((url) => url.host === address);
});
afterAll(async () => {
  await Promise.all([server.terminate(), fetcher.close()]);
});

function call(action: string, args: Readonly<Record<string, unknown>>, path = ''): GuestReply {
  return callGuest(guest, { base_url: `http://${address}${path}`, ...args, action }, { root: '/', request: fetcher.request });
}

/** Makes a call and gives what the server saw of it; reports of earlier calls may still be on their way. */
async function observe(action: string, args: Readonly<Record<string, unknown>>, isOwn: (seen: Seen) => boolean): Promise<Seen> {
  const seen = new Promise<Seen>((resolve) => {
    const listen = (message: Seen): void => {
      if (!isOwn(message)) return;
      server.off('message', listen);
      resolve(message);
    };
    server.on('message', listen);
  });
  expect(call(action, args).success).toBe(true);
  return seen;
}

describe('summary', () => {
  test.for([
    [
      'WebAssembly',
      '# WebAssembly\n\n*Cross-platform assembly language*\n\nWebAssembly (Wasm) is a “portable” format.\n\nSource: https://en.wikipedia.org/wiki/WebAssembly',
    ],
    [
      'Mercury',
      '# Mercury\n\nThis title means several things; call search, or article to see them all\n\nMercury may refer to:\n\nSource: https://en.wikipedia.org/wiki/Mercury',
    ],
    ['C♯ & "more"?', '# C♯\n\n(the article has no introduction, call article)\n\nSource: https://en.wikipedia.org/wiki/C'],
  ] as const)('of %j', ([title, output]) => {
    expect(call('summary', { title })).toEqual({ success: true, output, error: null });
  });

  test('asks once, by name, for the introduction as plain text', async () => {
    expect(await observe('summary', { title: ' WebAssembly ' }, ({ query }) => query['titles'] === 'WebAssembly')).toEqual({
      method: 'GET',
      agent: 'plugbridge-wikipedia/0.1.0',
      query: {
        action: 'query',
        format: 'json',
        formatversion: '2',
        redirects: '1',
        titles: 'WebAssembly',
        prop: 'extracts|description|info|pageprops',
        ppprop: 'disambiguation',
        inprop: 'url',
        exintro: '1',
        explaintext: '1',
      },
    });
  });

  test('says what to do about titles that are none', () => {
    expect(call('summary', { title: 'Nowhere' }).error).toBe(
      `Cannot find "Nowhere" in http://${address}: no article has this title, call search to find the right one`,
    );
    expect(call('summary', { title: '<x>' }).error).toBe('Cannot look up "<x>": The requested page title contains invalid characters: "<"');
  });
});

describe('search', () => {
  test('lists titles with excerpts as plain text', () => {
    expect(call('search', { term: 'wasm' }).output).toBe(
      `Articles for "wasm" in http://${address}; call summary or article with a title\n\n` +
        "1. **WebAssembly**: Wasm & JS <b> 'x' 😀 &bogus; & next\n2. **Empty**",
    );
  });

  test('passes term and limit', async () => {
    const { query } = await observe(
      'search',
      { term: 'a&b=c #1', limit: 3 },
      (seen) => seen.query['list'] === 'search' && seen.query['srlimit'] === '3',
    );
    expect(query).toMatchObject({ list: 'search', srsearch: 'a&b=c #1', srlimit: '3' });
  });

  test('answers without hits in words', () => {
    expect(call('search', { term: 'wsam' }, '/empty').output).toBe(
      `No article matches "wsam" in http://${address}/empty; did you mean "wasm"?`,
    );
    expect(call('search', { term: 'wsam' }, '/none').output).toBe(`No article matches "wsam" in http://${address}/none`);
  });
});

describe('article', () => {
  test('gives headings as Markdown, in parts that fit together and break no character', () => {
    const whole = call('article', { title: 'Long' }).output ?? '';
    expect(whole).toBe(`# Long\n\nIntro\n\n\n## History\n${'😀'.repeat(400)}\n### Early\n= no =\n== ==\nend\n\nSource: https://x/Long`);
    const first = call('article', { title: 'Long', max_chars: 500 }).output ?? '';
    const [, left, total, offset] = /… (\d+) of (\d+) characters left, call again with offset=(\d+)/.exec(first) ?? [];
    expect(Number(offset)).toBe(Number(total) - Number(left));
    const second = call('article', { title: 'Long', max_chars: 500, offset }).output ?? '';
    const bodyOf = (text: string): string => text.replace(/^# Long\n\n/, '').replace(/(\n\n… [^\n]*)?\n\nSource: .*$/, '');
    expect(bodyOf(first) + bodyOf(second)).toBe(bodyOf(whole));
    expect(first).not.toContain('\ufffd');
    expect(call('article', { title: 'Long', offset: 9_999 }).error).toMatch(/^Wrong argument "offset": 9999 lies behind the end/);
  });
});

describe('what can go wrong', () => {
  test.for([
    ['/busy', 'it answered with status 429, too many requests; wait a minute before the next call'],
    ['/broken', 'it answered with status 500, wanted 200'],
    ['/html', 'the answer is not JSON, is there a MediaWiki with /w/api.php?'],
    ['/list', 'the answer is not JSON, is there a MediaWiki with /w/api.php?'],
    ['/error', 'maxlag: Waiting for a database'],
  ] as const)('a server that answers as %s', ([path, reason]) => {
    expect(call('summary', { title: 'x' }, path)).toEqual({
      success: false,
      output: null,
      error: `Cannot read http://${address}${path}: ${reason}`,
    });
  });

  test.for([
    [{ title: 'x', base_url: undefined }, 'https://en.wikipedia.org'],
    [{ title: 'x', base_url: undefined, language: 'zh-yue' }, 'https://zh-yue.wikipedia.org'],
    [{ title: 'x', base_url: 'http://127.0.0.1:1/' }, 'http://127.0.0.1:1'],
  ] as const)('a host that may not be reached: %j', ([args, wiki]) => {
    expect(call('summary', args).error).toBe(
      `Cannot reach ${wiki}: the host refused or failed, check the permission network and allowed_hosts in PLUGIN.toml`,
    );
  });

  test.for([
    [{}, 'Missing argument "title": wanted a text that is not empty'],
    [{ title: 'a|b' }, 'Wrong argument "title": wanted one title of at most 255 bytes without line breaks and |'],
    [{ title: 'ä'.repeat(128) }, 'Wrong argument "title": wanted one title of at most 255 bytes without line breaks and |'],
    ...['en.evil.test/', 'EN', 'e', '-en', 'en-', 'x'.repeat(17)].map(
      (language) =>
        [
          { title: 'x', base_url: '', language },
          `Wrong argument "language": "${language}" is not the code of a Wikipedia, wanted one like en, de or zh-yue`,
        ] as const,
    ),
    ...['ftp://x', 'https://', 'https:///x', 'https://a@b', 'https://a\\b', 'https://a?b', 'https://a#b', 'https://a b', 'https://ä'].map(
      (base_url) =>
        [{ title: 'x', base_url }, `Wrong argument "base_url": "${base_url}" is not an address like https://en.wikipedia.org`] as const,
    ),
  ] as const)('refuses %j', ([args, error]) => {
    expect(call('summary', args)).toEqual({ success: false, output: null, error });
  });
});
