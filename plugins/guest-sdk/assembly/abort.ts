import { log } from "./az";

/** Where the compiler sends failed checks; without it a module would import `env.abort`, which hosts refuse. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  log(`aborted at ${file ? file : "?"}:${line}:${column}: ${message ? message : "no message"}`);
  unreachable();
}
