import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { createAuthority, createPermit } from '../../src/dispatch/authority.ts';
import type { Refusal } from '../../src/executors/executor.ts';
import { AZ_IMPORTS, type AzImportName } from '../../src/executors/wasm/az-imports.ts';
import type { Plugin } from '../../src/manifest/plugin.ts';
import { readPolicy } from '../../src/policy/read-policy.ts';
import { createGrantBook } from '../../src/trust/grant-book.ts';
import { createGrantStore } from '../../src/trust/grants.ts';
import { useJournal } from './journal.ts';
import { makeTool } from './mcp-fixture.ts';
import { useTmp } from './tmp.ts';
import { callPlugin, useWasmExecutor, WAT_ALLOC, watString, writeGuest } from './wasm-guests.ts';

export const PERMISSIONS = 'permissions = ["file_read", "file_write", "shell"]\n';
export const ALLOW_ALL =
  'wasm_execution = "allow"\nfile_read = "allow"\nfile_write = "allow"\nnetwork = "allow"\nshell_commands = "allow"\n';
export const READ_ONLY = 'wasm_execution = "allow"\nfile_read = "allow"\nfile_write = "deny"\n';
const HEX = '0123456789abcdef';

/** A guest that calls one import with these strings and answers with the code, or with the text in hexadecimal. */
function watImporting(name: AzImportName, strings: readonly (string | Uint8Array)[]): string {
  const { params, results } = AZ_IMPORTS[name];
  let at = 4096;
  const segments: string[] = [];
  const args: string[] = [];
  for (const text of strings) {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    segments.push(`(data (i32.const ${at}) "${watString(bytes)}")`);
    args.push(`(i32.const ${at}) (i32.const ${bytes.length})`);
    at += bytes.length;
  }
  const call = `(call $import ${args.join(' ')})`;
  const code = results.length === 0 ? `${call} (i32.const 0)` : call;
  const body =
    results[0] === 'i64'
      ? `(local.set $packed ${call})
         (if (i64.eq (local.get $packed) (i64.const -1)) (then (return (call $finish (i32.const 2048) (i32.const 5)))))
         (local.set $from (i32.wrap_i64 (i64.shr_u (local.get $packed) (i64.const 32))))
         (local.set $to (call $alloc (i32.add (i32.const 64) (i32.shl (i32.wrap_i64 (local.get $packed)) (i32.const 1)))))
         (local.set $start (local.get $to))
         (memory.copy (local.get $to) (i32.const 1024) (i32.const 26))
         (local.set $to (i32.add (local.get $to) (i32.const 26)))
         (local.set $end (i32.add (local.get $from) (i32.wrap_i64 (local.get $packed))))
         (block $done (loop $next
           (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
           (i32.store8 (local.get $to) (i32.load8_u offset=3072 (i32.shr_u (i32.load8_u (local.get $from)) (i32.const 4))))
           (i32.store8 offset=1 (local.get $to) (i32.load8_u offset=3072 (i32.and (i32.load8_u (local.get $from)) (i32.const 15))))
           (local.set $from (i32.add (local.get $from) (i32.const 1)))
           (local.set $to (i32.add (local.get $to) (i32.const 2)))
           (br $next)))
         (i32.store16 (local.get $to) (i32.const 0x7d22))
         (i64.or (i64.shl (i64.extend_i32_u (local.get $start)) (i64.const 32))
           (i64.extend_i32_u (i32.sub (i32.add (local.get $to) (i32.const 2)) (local.get $start))))`
      : `(local.set $from ${code})
         (if (i32.lt_s (local.get $from) (i32.const 0)) (then (return (call $finish (i32.const 2048) (i32.const 5)))))
         (i32.store8 (i32.const 2056) (i32.add (i32.const 48) (local.get $from)))
         (call $finish (i32.const 2056) (i32.const 1))`;
  return `(module
    (import "az" "${name}" (func $import (param ${params.join(' ')}) ${results.length > 0 ? `(result ${results[0]})` : ''}))
    (memory (export "memory") 17)
    (data (i32.const 1024) "${watString('{"success":true,"output":"')}") (data (i32.const 2048) "error")
    (data (i32.const 3072) "${HEX}") ${segments.join(' ')} ${WAT_ALLOC}
    (func $finish (param $at i32) (param $length i32) (result i64)
      (memory.copy (i32.const 1050) (local.get $at) (local.get $length))
      (i32.store16 (i32.add (i32.const 1050) (local.get $length)) (i32.const 0x7d22))
      (i64.or (i64.const ${1024n << 32n}) (i64.extend_i32_u (i32.add (local.get $length) (i32.const 28)))))
    (func (export "run") (param i32 i32) (result i64)
      (local $packed i64) (local $from i32) (local $to i32) (local $start i32) (local $end i32)
      ${body}))`;
}

/** What decides over the call; by default the manifest asks for files and commands, and the policy allows all. */
export interface ImportSetup {
  readonly hostScript: string;
  readonly manifest?: string;
  readonly policy?: string;
  readonly grants?: readonly string[];
  readonly root?: string;
}

/** Calls one import from a real guest, permitted by the real policy; gives what the guest saw. */
export async function callImport(name: AzImportName, strings: readonly (string | Uint8Array)[], setup: ImportSetup) {
  const root = setup.root ?? useTmp();
  const guest = await writeGuest(watImporting(name, strings), setup.manifest ?? PERMISSIONS);
  const state = useTmp();
  const policyFile = join(state, 'policy.toml');
  writeFileSync(policyFile, setup.policy ?? ALLOW_ALL);
  const journal = useJournal().open();
  onTestFinished(() => journal.close());
  const grants = createGrantBook(createGrantStore({ stateDirectory: state }), journal);
  if (setup.grants) grants.add(guest, setup.grants);
  const authority = createAuthority({
    policy: readPolicy({ policyFile, userFile: policyFile, root }),
    grants,
    executors: { wasm: { permissions: 'per-use' }, script: { permissions: 'ahead' } },
    pathsOf: (plugin: Plugin) => ({ root, plugin: plugin.directory, data: join(state, 'data') }),
    protectedDirectories: [state],
  });
  const { permit, usage, refused } = createPermit(authority.prepare(makeTool(guest, 'go'), undefined).prepared, { onAsk: () => false });
  const { executor } = useWasmExecutor(setup.hostScript);
  const { result, logs, refusals } = await callPlugin(executor, guest, { root, permit });
  for (const refusal of refusals) refused(refusal);
  if (result.kind !== 'ok') throw new Error(JSON.stringify(result));
  const { text } = result.output;
  const isCode = text === 'error' || /^[012]$/.test(text);
  return {
    answer: isCode ? text : Buffer.from(text, 'hex').toString('utf8'),
    refusals: usage.refusals.map(({ by, capability }: Refusal) => `${by} ${capability}`),
    logs: logs.map(({ level, message }) => `${level} ${message}`),
  };
}
