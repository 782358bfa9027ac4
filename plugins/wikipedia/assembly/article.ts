import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { callPage, pageHead, readTitle, readWiki } from "./wiki";

/** The text of an article as Markdown, in parts of `max_chars`. */
export function article(request: Request): Reply {
  const title = readTitle(request);
  const wiki = readWiki(request);
  const maxChars = request.integer("max_chars", 20000, 500, 100000);
  const offset = request.integer("offset", 0, 0, 10000000);
  if (request.problem) return fail(request.problem!);

  const page = callPage(
    request,
    wiki,
    title,
    "prop=extracts%7Cdescription%7Cinfo%7Cpageprops&ppprop=disambiguation&inprop=url&explaintext=1&exsectionformat=wiki",
  );
  if (!page) return fail(request.problem!);
  const text = headingsToMarkdown(page.memberText("extract").trim());
  if (offset > 0 && offset >= text.length) {
    return fail(`Wrong argument "offset": ${offset} lies behind the end, the article has ${text.length} characters`);
  }
  const start = wholeStart(text, offset);
  const end = min(wholeStart(text, start + maxChars), text.length);
  const head = start == 0 ? pageHead(page) + "\n\n" : "";
  const rest =
    end < text.length ? `\n\n… ${text.length - end} of ${text.length} characters left, call again with offset=${end}` : "";
  return succeed(`${head}${text.substring(start, end)}${rest}\n\nSource: ${page.memberText("fullurl")}`);
}

/** `== Heading ==` becomes `## Heading`, and so on down to six. */
function headingsToMarkdown(text: string): string {
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i].trimEnd();
    let level = 0;
    while (level < 6 && level < line.length && line.charCodeAt(level) == 0x3d) level++;
    if (level < 2 || line.length <= level * 2 || !line.endsWith("=".repeat(level))) continue;
    const heading = line.substring(level, line.length - level).trim();
    if (heading.length > 0) lines[i] = "#".repeat(level) + " " + heading;
  }
  return lines.join("\n");
}

/** A place to cut that does not part a surrogate pair. */
function wholeStart(text: string, at: i32): i32 {
  if (at <= 0 || at >= text.length) return at;
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at + 1 : at;
}
