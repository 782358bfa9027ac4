import * as host from "./imports";
import { JsonValue, parseJson, quoteJson } from "./json";
import { decodeText, encodeText, takeBytes, takeText } from "./memory";

// Every function here is one of the host's; an error value arrives as null or false and carries no reason:
// missing, unreadable, outside the root and not permitted look the same.

/** What `httpRequest` got back. Headers are not part of the ABI. */
export class HttpResponse {
  constructor(readonly status: i32, readonly body: string) {}
}

/** What `runCommand` got back. */
export class CommandResult {
  constructor(readonly exitCode: i32, readonly stdout: string, readonly stderr: string) {}
}

/** The text of a file, or null when it can't be read, is a folder or is not UTF-8. A byte order mark is kept. */
export function readFile(path: string): string | null {
  const bytes = readBytes(path);
  return bytes ? decodeText(bytes, 0, bytes.length) : null;
}

/** The bytes of a text file, for searching without the cost of decoding; null as for `readFile`. */
export function readBytes(path: string): Uint8Array | null {
  const p = encodeText(path);
  return takeBytes(host.read_file(changetype<usize>(p), p.byteLength));
}

/** Writes a file, replacing what it held; false when that failed. Its folder must exist. */
export function writeFile(path: string, content: string): bool {
  const p = encodeText(path);
  const c = encodeText(content);
  return host.write_file(changetype<usize>(p), p.byteLength, changetype<usize>(c), c.byteLength) == 0;
}

/** Appends to a file, making it when missing; false when that failed. Its folder must exist. */
export function appendFile(path: string, content: string): bool {
  const p = encodeText(path);
  const c = encodeText(content);
  return host.append_file(changetype<usize>(p), p.byteLength, changetype<usize>(c), c.byteLength) == 0;
}

/** The names in a folder, sorted, hidden ones included; null for a file and for what can't be listed. */
export function listDir(path: string): string[] | null {
  const p = encodeText(path);
  const bytes = takeBytes(host.list_dir(changetype<usize>(p), p.byteLength));
  if (!bytes) return null;
  const names = parseJson(bytes);
  return names && names.isList ? names.texts() : null;
}

/** Makes a folder and its parents; true also when it is there already. */
export function createDir(path: string): bool {
  const p = encodeText(path);
  return host.create_dir(changetype<usize>(p), p.byteLength) == 0;
}

/** Whether a file or folder is there; false also for paths that the plugin may not see. */
export function fileExists(path: string): bool {
  const p = encodeText(path);
  return host.file_exists(changetype<usize>(p), p.byteLength) == 0;
}

/** The local time as RFC 3339 with fraction and offset; empty when the host has none to give. */
export function now(): string {
  const text = takeText(host.now());
  return text ? text : "";
}

/** A line for the host's log. */
export function log(message: string): void {
  const m = encodeText(message);
  host.log(changetype<usize>(m), m.byteLength);
}

/**
 * An HTTP request to a host that PLUGIN.toml declares; null when it was refused or failed on the way.
 * A header whose value is not a text would make the host drop them all, hence the map.
 */
export function httpRequest(method: string, url: string, headers: Map<string, string>, body: string): HttpResponse | null {
  const u = encodeText(url);
  const m = encodeText(method);
  const h = encodeText(quoteMembers(headers));
  const b = encodeText(body);
  const bytes = takeBytes(
    host.http_request(
      changetype<usize>(u),
      u.byteLength,
      changetype<usize>(m),
      m.byteLength,
      changetype<usize>(h),
      h.byteLength,
      changetype<usize>(b),
      b.byteLength,
    ),
  );
  const answer = parseAnswer(bytes);
  if (!answer) return null;
  const status = answer.member("status");
  if (!status || !status.isNumber) return null;
  return new HttpResponse(<i32>status.number, answer.memberText("body"));
}

/** Runs one of the host's allowed programs (git, rg, grep, find, wc, sort, head, tail); null when it was refused. */
export function runCommand(command: string, args: string[]): CommandResult | null {
  const c = encodeText(command);
  const quoted: string[] = [];
  for (let i = 0; i < args.length; i++) quoted.push(quoteJson(args[i]));
  const a = encodeText("[" + quoted.join(",") + "]");
  const bytes = takeBytes(host.run_command(changetype<usize>(c), c.byteLength, changetype<usize>(a), a.byteLength));
  const answer = parseAnswer(bytes);
  if (!answer) return null;
  const exitCode = answer.member("exit_code");
  if (!exitCode || !exitCode.isNumber) return null;
  return new CommandResult(<i32>exitCode.number, answer.memberText("stdout"), answer.memberText("stderr"));
}

function parseAnswer(bytes: Uint8Array | null): JsonValue | null {
  if (!bytes) return null;
  const answer = parseJson(bytes);
  return answer && answer.isObject ? answer : null;
}

function quoteMembers(members: Map<string, string>): string {
  const names = members.keys();
  const quoted: string[] = [];
  for (let i = 0; i < names.length; i++) quoted.push(quoteJson(names[i]) + ":" + quoteJson(members.get(names[i])));
  return "{" + quoted.join(",") + "}";
}
