import { Reply, fail, respond } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { backlinks } from "./backlinks";
import { capture } from "./capture";
import { init } from "./init";
import { note } from "./note";
import { query } from "./query";
import { read } from "./read";
import { recent } from "./recent";
import { status } from "./status";
import { today } from "./today";

export { alloc } from "../../guest-sdk/assembly/memory";

export function run(pointer: i32, bytes: i32): i64 {
  return respond(pointer, bytes, handle);
}

function handle(request: Request): Reply {
  const action = request.action;
  if (action == "init") return init(request);
  if (action == "capture") return capture(request);
  if (action == "today") return today(request);
  if (action == "note") return note(request);
  if (action == "read") return read(request);
  if (action == "query") return query(request);
  if (action == "backlinks") return backlinks(request);
  if (action == "recent") return recent(request);
  if (action == "status") return status(request);
  return fail(
    `Unknown command "${action}": wanted init, capture, today, note, read, query, backlinks, recent or status`,
  );
}
