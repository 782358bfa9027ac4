import { AZ_IMPORTS, isAzImport } from '../az-imports.ts';
import { quoteName } from './byte-reader.ts';
import type { ImportEntry, ModuleShape } from './module-shape.ts';
import { formatSignature, isSameSignature, type Signature, type ValType } from './value-type.ts';

/** An import of the module that a host must provide. */
export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly params: readonly ValType[];
  readonly results: readonly ValType[];
}

const MODULE = 'az';
const WASI = /^wasi_(?:snapshot_preview\d|unstable)$/;
/** Imports of module `az` in the ABI generation before this one (agentzero.md §8). */
const OLD_IMPORTS: readonly string[] = ['az_log', 'az_env_get'];
const LISTED = 10;

/** What is wrong with a module’s imports, one sentence each. */
export function checkImports(shape: ModuleShape): string[] {
  const undeclared = shape.imports.filter((entry) => entry.module !== MODULE);
  const problems = undeclared.length > 0 ? [nameUndeclared(undeclared)] : [];
  if (undeclared.some((entry) => WASI.test(entry.module))) {
    problems.push('WASM module is built for WASI, which plugins do not get: build it for wasm32-unknown-unknown and use the az::* imports');
  }
  for (const entry of shape.imports) {
    const problem = entry.module === MODULE ? tryNameProblem(entry, shape) : undefined;
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

/** Upstream’s sentence word for word (agentzero.md §2, “Import rules”), so that what people search for finds it. */
function nameUndeclared(entries: readonly ImportEntry[]): string {
  const names = entries.slice(0, LISTED).map((entry) => `${quoteName(entry.module)}::${quoteName(entry.name)}`);
  const more = entries.length > LISTED ? ` and ${entries.length - LISTED} more` : '';
  return `WASM module has undeclared imports (only az::* allowed): ${names.join(', ')}${more}`;
}

function tryNameProblem(entry: ImportEntry, shape: ModuleShape): string | undefined {
  const name = `${MODULE}::${quoteName(entry.name)}`;
  if (entry.kind !== 'function') return `WASM module imports ${name} as a ${entry.kind}: only functions can be imported`;
  if (OLD_IMPORTS.includes(entry.name)) {
    return `WASM module imports ${name} of the older plugin ABI: rebuild it for the present one, whose entry is run and whose log is az::log`;
  }
  if (!isAzImport(entry.name)) return `WASM module imports ${name}, which does not exist: there are ${Object.keys(AZ_IMPORTS).join(', ')}`;
  const wanted = AZ_IMPORTS[entry.name];
  const found = signatureOf(entry, shape);
  if (isSameSignature(found, wanted)) return undefined;
  return `WASM module imports ${name} as ${formatSignature(found)}: wanted ${formatSignature(wanted)}`;
}

const signatureOf = (entry: ImportEntry, shape: ModuleShape): Signature =>
  shape.types[entry.typeIndex ?? -1] ?? { params: [], results: [] };

/** The imports with their signatures, of a module whose imports are right. */
export function listImports(shape: ModuleShape): ModuleImport[] {
  return shape.imports.map((entry) => ({ module: entry.module, name: entry.name, ...signatureOf(entry, shape) }));
}
