import { malformedAt, readByte, refuseFeature, type ByteReader } from './byte-reader.ts';

/** A value type that plugins may use. */
export type ValType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref';

/** What a function takes and gives. */
export interface Signature {
  readonly params: readonly ValType[];
  readonly results: readonly ValType[];
}

/** Encodings of value types (WebAssembly core specification 2.0, §5.3). */
const VALUE_TYPES: Readonly<Record<number, ValType>> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  0x70: 'funcref',
  0x6f: 'externref',
};

/** Encodings that later proposals gave to value and heap types, so that a refusal can name them (specification 3.0, §5.3). */
const REFUSED_TYPES: Readonly<Record<number, string>> = {
  0x64: 'typed function references',
  0x63: 'typed function references',
  0x74: 'exception handling',
  0x69: 'exception handling',
  0x78: 'garbage-collected types',
  0x77: 'garbage-collected types',
  0x73: 'garbage-collected types',
  0x72: 'garbage-collected types',
  0x71: 'garbage-collected types',
  0x6e: 'garbage-collected types',
  0x6d: 'garbage-collected types',
  0x6c: 'garbage-collected types',
  0x6b: 'garbage-collected types',
  0x6a: 'garbage-collected types',
};

/** Reads a value type; throws a `GateRefusal` for one outside the profile. */
export function readValType(reader: ByteReader): ValType {
  const at = reader.at;
  const byte = readByte(reader);
  const type = VALUE_TYPES[byte];
  if (type !== undefined) return type;
  const feature = REFUSED_TYPES[byte];
  if (feature !== undefined) throw refuseFeature(feature, at);
  throw malformedAt(at, `0x${byte.toString(16)} is no value type`);
}

/** Reads `funcref` or `externref`; throws a `GateRefusal` for anything else. */
export function readRefType(reader: ByteReader): ValType {
  const at = reader.at;
  const type = readValType(reader);
  if (type !== 'funcref' && type !== 'externref') throw malformedAt(at, `${type} is no reference type`);
  return type;
}

/** Reads what `ref.null` is of: `funcref` or `externref`; the index of a type is refused by the name of its feature. */
export function readNullType(reader: ByteReader): ValType {
  const isTypeIndex = reader.at < reader.end && (reader.view.getUint8(reader.at) & 0x40) === 0;
  if (isTypeIndex) throw refuseFeature('typed function references', reader.at);
  return readRefType(reader);
}

const list = (types: readonly ValType[]): string => `(${types.join(', ')})`;

/** A signature as text, such as `(i32, i32) -> i64`. */
export function formatSignature({ params, results }: Signature): string {
  const [only] = results;
  return `${list(params)} -> ${results.length === 1 && only !== undefined ? only : list(results)}`;
}

/** Whether two signatures are the same. */
export function isSameSignature(one: Signature, other: Signature): boolean {
  return formatSignature(one) === formatSignature(other);
}
