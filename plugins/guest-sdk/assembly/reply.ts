import { parseJson, quoteJson } from "./json";
import { packText, takeAllocated } from "./memory";
import { Request } from "./request";

/** What a command answers: Markdown text, or one sentence that says what went wrong and what to do. */
export class Reply {
  constructor(readonly success: bool, readonly text: string) {}
}

/** The command did it. */
export function succeed(output: string): Reply {
  return new Reply(true, output);
}

/** The command could not; say what was found, what is wanted and what to call next. */
export function fail(error: string): Reply {
  return new Reply(false, error);
}

/** The body of the ABI's `run`: reads the request, lets `handle` answer it, packs the answer. */
export function respond(pointer: i32, bytes: i32, handle: (request: Request) => Reply): i64 {
  const body = parseJson(takeAllocated(pointer, bytes));
  if (!body || !body.isObject) return pack(fail("Cannot read the request: wanted a JSON object"));
  return pack(handle(new Request(body)));
}

function pack(reply: Reply): i64 {
  const text = quoteJson(reply.text);
  return packText(
    reply.success ? `{"success":true,"output":${text},"error":null}` : `{"success":false,"output":null,"error":${text}}`,
  );
}
