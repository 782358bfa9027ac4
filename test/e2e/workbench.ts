import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { buildPlugins, PLUGINS, REPOSITORY } from '../helpers/guest.ts';

const MANIFEST = `
[plugin]
name = "workbench"
version = "1.0.0"
description = "Does one thing each that a client has to cope with"
runtime = "wasm"
wasm_path = "workbench.wasm"
permissions = ["file_read", "file_write"]
keywords = ["testing"]

[[commands]]
name = "say"
description = "Answer the text."
permissions = []
read_only = true
[commands.input]
text = { type = "string", maxLength = 100 }
times = { type = "integer", required = false, minimum = 1, maximum = 10000 }

[[commands]]
name = "object"
description = "Answer an object."
permissions = []
input = {}

[[commands]]
name = "list"
description = "Answer an array."
permissions = []
input = {}

[[commands]]
name = "fail"
description = "Fail."
permissions = []
input = {}

[[commands]]
name = "trap"
description = "Trap."
permissions = []
input = {}

[[commands]]
name = "steps"
description = "Log three steps."
permissions = []
input = {}

[[commands]]
name = "spin"
description = "Log once, then never end."
permissions = []
input = {}

[[commands]]
name = "wait"
description = "Log once, then go on until the file is there; tells the version of the code."
permissions = ["file_read"]
[commands.input]
path = { type = "string" }

[[commands]]
name = "write"
description = "Write a file."
permissions = ["file_write"]
[commands.input]
path = { type = "string" }
text = { type = "string" }
`;

const GUEST = `
import { createDir, fileExists, log, writeFile } from "../../guest-sdk/assembly/az";
import { parseJson, quoteJson } from "../../guest-sdk/assembly/json";
import { packText, takeAllocated } from "../../guest-sdk/assembly/memory";
import { Request } from "../../guest-sdk/assembly/request";
export { alloc } from "../../guest-sdk/assembly/memory";

const succeed = (output: string): string => '{"success":true,"output":' + output + '}';
const fail = (error: string): string => '{"success":false,"error":' + quoteJson(error) + '}';

export function run(pointer: i32, bytes: i32): i64 {
  return packText(answer(new Request(parseJson(takeAllocated(pointer, bytes))!)));
}

function answer(request: Request): string {
  const action = request.action;
  if (action == "say") return succeed(quoteJson(request.text("text").repeat(request.integer("times", 1, 1, 10000))));
  if (action == "object") return succeed('{"text":"häl\\\\nlo","n":[1,{"a":null}]}');
  if (action == "list") return succeed('[1,"two"]');
  if (action == "fail") return fail("This tool intentionally returns an error for testing");
  if (action == "trap") unreachable();
  if (action == "steps") {
    log("first");
    log("second");
    log("third");
    return succeed('"done"');
  }
  if (action == "spin") {
    log("spinning");
    while (true) store<i32>(8, load<i32>(8) + 1);
  }
  if (action == "wait") {
    log("waiting");
    const path = request.text("path");
    while (!fileExists(path)) for (let i = 0; i < 3000000; i++) store<i32>(8, load<i32>(8) + i);
    return succeed('"workbench-1"');
  }
  if (action == "write") return writeFile(request.text("path"), request.text("text")) ? succeed('"written"') : fail("cannot write");
  return fail("unknown " + action + (createDir("x") ? "" : ""));
}
`;

const CACHE = join(REPOSITORY, 'node_modules/.cache/plugbridge-e2e');

/** Compiles the plugin once for all test files; gives its directory, which is to be copied. */
export async function buildWorkbench(): Promise<string> {
  const hash = createHash('sha256').update(MANIFEST).update(GUEST);
  const sdk = join(PLUGINS, 'guest-sdk');
  for (const name of readdirSync(join(sdk, 'assembly')).toSorted()) hash.update(readFileSync(join(sdk, 'assembly', name)));
  const key = hash.digest('hex').slice(0, 16);
  const built = join(CACHE, key, 'workbench');
  if (existsSync(built)) return built;
  const draft = join(CACHE, `${key}.${randomBytes(4).toString('hex')}`);
  cpSync(sdk, join(draft, 'guest-sdk'), { recursive: true });
  mkdirSync(join(draft, 'workbench/assembly'), { recursive: true });
  writeFileSync(join(draft, 'workbench/PLUGIN.toml'), MANIFEST);
  writeFileSync(join(draft, 'workbench/assembly/index.ts'), GUEST);
  await buildPlugins('--plugins', draft);
  try {
    renameSync(draft, join(CACHE, key));
  } catch (error) {
    // Another test file was quicker.
    rmSync(draft, { recursive: true });
    if (!existsSync(built)) throw error;
  }
  return built;
}

/** Puts the plugin into a plugin directory. */
export async function addWorkbench(plugins: string): Promise<string> {
  const directory = join(plugins, 'workbench');
  cpSync(await buildWorkbench(), directory, { recursive: true });
  return directory;
}

/** The module with another answer of `wait`: literals are UTF-16 in the data of AssemblyScript modules. */
export function changeAnswer(directory: string, answer: `workbench-${number}`): void {
  const file = join(directory, 'workbench.wasm');
  const bytes = readFileSync(file);
  const at = bytes.indexOf(Buffer.from('workbench-', 'utf16le'));
  if (at < 0) throw new Error('the literal is not in the module');
  bytes.write(answer, at, 'utf16le');
  writeFileSync(file, bytes);
}
