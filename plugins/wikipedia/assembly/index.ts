import { Reply, fail, respond } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { article } from "./article";
import { search } from "./search";
import { summary } from "./summary";

export { alloc } from "../../guest-sdk/assembly/memory";

export function run(pointer: i32, bytes: i32): i64 {
  return respond(pointer, bytes, handle);
}

function handle(request: Request): Reply {
  const action = request.action;
  if (action == "summary") return summary(request);
  if (action == "search") return search(request);
  if (action == "article") return article(request);
  return fail(`Unknown command "${action}": wanted summary, search or article`);
}
