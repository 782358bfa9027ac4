import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { callPage, pageHead, readTitle, readWiki } from "./wiki";

/** The introduction of an article. */
export function summary(request: Request): Reply {
  const title = readTitle(request);
  const wiki = readWiki(request);
  if (request.problem) return fail(request.problem!);

  const page = callPage(
    request,
    wiki,
    title,
    "prop=extracts%7Cdescription%7Cinfo%7Cpageprops&ppprop=disambiguation&inprop=url&exintro=1&explaintext=1",
  );
  if (!page) return fail(request.problem!);
  const extract = page.memberText("extract").trim();
  const text = extract.length > 0 ? extract : "(the article has no introduction, call article)";
  return succeed(`${pageHead(page)}\n\n${text}\n\nSource: ${page.memberText("fullurl")}`);
}
