import { JsonValue } from "../../guest-sdk/assembly/json";
import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { htmlToText } from "./html";
import { callApi, readWiki } from "./wiki";

/** Articles that hold a term, best first. */
export function search(request: Request): Reply {
  const term = request.text("term").trim();
  const limit = request.integer("limit", 5, 1, 20);
  const wiki = readWiki(request);
  if (term.length > 300) request.report('Argument "term" is too long: wanted at most 300 characters');
  if (request.problem) return fail(request.problem!);

  const result = callApi(
    request,
    wiki,
    `list=search&srprop=snippet&srinfo=totalhits%7Csuggestion&srlimit=${limit}&srsearch=${encodeURIComponent(term)}`,
  );
  if (!result) return fail(request.problem!);
  const hits = result.memberItems("search");
  if (hits.length == 0) return succeed(`No article matches "${term}" in ${wiki}${suggestion(result.member("searchinfo"))}`);
  const lines: string[] = [];
  for (let i = 0; i < hits.length; i++) {
    const snippet = htmlToText(hits[i].memberText("snippet"));
    lines.push(`${i + 1}. **${hits[i].memberText("title")}**${snippet.length > 0 ? ": " + snippet : ""}`);
  }
  return succeed(`Articles for "${term}" in ${wiki}; call summary or article with a title\n\n${lines.join("\n")}`);
}

function suggestion(info: JsonValue | null): string {
  const text = info ? info.memberText("suggestion") : "";
  return text.length > 0 ? `; did you mean "${text}"?` : "";
}
