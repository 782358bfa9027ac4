import { httpRequest } from "../../guest-sdk/assembly/az";
import { JsonValue, parseJson } from "../../guest-sdk/assembly/json";
import { Request } from "../../guest-sdk/assembly/request";

const MAX_TITLE_BYTES = 255;

/** The address of a wiki, from `base_url`, else from `language`; reports a problem for what is neither. */
export function readWiki(request: Request): string {
  const language = request.optionalText("language", "en");
  const base = request.optionalText("base_url", "");
  if (base.length > 0) {
    if (!isBase(base)) request.report(`Wrong argument "base_url": "${base}" is not an address like https://en.wikipedia.org`);
    return base.endsWith("/") ? base.substring(0, base.length - 1) : base;
  }
  if (!isLanguage(language)) {
    request.report(`Wrong argument "language": "${language}" is not the code of a Wikipedia, wanted one like en, de or zh-yue`);
  }
  return `https://${language}.wikipedia.org`;
}

/** The argument `title`, one line that fits what MediaWiki takes as a title. */
export function readTitle(request: Request): string {
  const title = request.text("title").trim();
  if (String.UTF8.byteLength(title) > MAX_TITLE_BYTES || title.includes("\n") || title.includes("|")) {
    request.report(`Wrong argument "title": wanted one title of at most ${MAX_TITLE_BYTES} bytes without line breaks and |`);
  }
  return title;
}

/** One GET of the action API (mediawiki.org/wiki/API), without its outer layers; reports a problem and gives null otherwise. */
export function callApi(request: Request, wiki: string, parameters: string): JsonValue | null {
  const url = `${wiki}/w/api.php?action=query&format=json&formatversion=2&${parameters}`;
  const headers = new Map<string, string>();
  // foundation.wikimedia.org/wiki/Policy:User-Agent_policy: nameless clients are turned away.
  headers.set("User-Agent", "plugbridge-wikipedia/0.1.0");
  headers.set("Accept", "application/json");
  const response = httpRequest("GET", url, headers, "");
  if (!response) {
    request.report(`Cannot reach ${wiki}: the host refused or failed, check the permission network and allowed_hosts in PLUGIN.toml`);
    return null;
  }
  if (response.status == 429) {
    request.report(`Cannot read ${wiki}: it answered with status 429, too many requests; wait a minute before the next call`);
    return null;
  }
  if (response.status != 200) {
    request.report(`Cannot read ${wiki}: it answered with status ${response.status}, wanted 200`);
    return null;
  }
  const answer = parseJson(Uint8Array.wrap(String.UTF8.encode(response.body)));
  if (!answer || !answer.isObject) {
    request.report(`Cannot read ${wiki}: the answer is not JSON, is there a MediaWiki with /w/api.php?`);
    return null;
  }
  const error = answer.member("error");
  if (error) {
    request.report(`Cannot read ${wiki}: ${error.memberText("code")}: ${error.memberText("info")}`);
    return null;
  }
  const result = answer.member("query");
  // A search without hits, among others, has an answer without a query member.
  return result ? result : answer;
}

/** The one page that was asked for; reports a problem and gives null where there is none of that title. */
export function callPage(request: Request, wiki: string, title: string, parameters: string): JsonValue | null {
  const result = callApi(request, wiki, `redirects=1&titles=${encodeURIComponent(title)}&${parameters}`);
  if (!result) return null;
  const pages = result.memberItems("pages");
  if (pages.length == 0 || isTrue(pages[0], "missing")) {
    request.report(`Cannot find "${title}" in ${wiki}: no article has this title, call search to find the right one`);
    return null;
  }
  if (isTrue(pages[0], "invalid")) {
    request.report(`Cannot look up "${title}": ${stripFullStop(pages[0].memberText("invalidreason"))}`);
    return null;
  }
  return pages[0];
}

/** The heading, short description and, where the title means several things, a hint: what every page begins with. */
export function pageHead(page: JsonValue): string {
  let head = `# ${page.memberText("title")}`;
  const description = page.memberText("description");
  if (description.length > 0) head += `\n\n*${description}*`;
  const properties = page.member("pageprops");
  if (properties && properties.member("disambiguation")) {
    head += "\n\nThis title means several things; call search, or article to see them all";
  }
  return head;
}

function isTrue(value: JsonValue, name: string): bool {
  const member = value.member(name);
  return member != null && member.flag;
}

function stripFullStop(text: string): string {
  return text.endsWith(".") ? text.substring(0, text.length - 1) : text;
}

/** Letters, digits and inner dashes only: the code becomes part of a host name. */
function isLanguage(code: string): bool {
  if (code.length < 2 || code.length > 16) return false;
  for (let i = 0; i < code.length; i++) {
    const unit = code.charCodeAt(i);
    const inner = i > 0 && i < code.length - 1;
    if ((unit >= 0x61 && unit <= 0x7a) || (inner && unit == 0x2d)) continue;
    return false;
  }
  return true;
}

/** Scheme, host and path only; the host of plugins decides whether it may be reached. */
function isBase(base: string): bool {
  const from = base.startsWith("https://") ? 8 : base.startsWith("http://") ? 7 : -1;
  if (from < 0 || base.length == from || base.length > 512) return false;
  for (let i = from; i < base.length; i++) {
    const unit = base.charCodeAt(i);
    if (unit <= 0x20 || unit >= 0x7f) return false;
    // ? # @ and \ would let the text behind them change what host or path is meant.
    if (unit == 0x3f || unit == 0x23 || unit == 0x40 || unit == 0x5c) return false;
  }
  return base.charCodeAt(from) != 0x2f;
}
