const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const HEADER_BYTES = 8;

const startsWith = (bytes: Uint8Array, wanted: readonly number[]): boolean => wanted.every((byte, index) => bytes[index] === byte);

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** Says in a sentence why bytes are no core WebAssembly module; undefined when the header is right. */
export function tryNameForeignFile(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength === 0) return 'WASM file is empty: wanted a WebAssembly module';
  if (!startsWith(bytes, MAGIC.slice(0, bytes.byteLength))) return nameOther(bytes);
  if (bytes.byteLength < HEADER_BYTES) return `WASM module is cut short: its header has ${bytes.byteLength} of ${HEADER_BYTES} bytes`;
  if (startsWith(bytes, [...MAGIC, 1, 0, 0, 0])) return undefined;
  // The component model keeps the magic and counts a “layer” in the upper half of the version (component-model Binary.md).
  if (bytes[6] === 1 && bytes[7] === 0)
    return 'WASM file is a component: wanted a core module, such as target wasm32-unknown-unknown makes';
  return `WASM module has the unknown version bytes ${hex(bytes.subarray(4, 8))}: wanted 01 00 00 00`;
}

function nameOther(bytes: Uint8Array): string {
  const opening = new TextDecoder('latin1').decode(bytes.subarray(0, 256)).replace(/^\u00ef\u00bb\u00bf/, '');
  if (/^\s*(?:\(\s*(?:module|component)\b|;;|\(;)/.test(opening)) {
    return 'WASM file is in the text format (.wat): assemble it to a binary first, with wat2wasm for example';
  }
  return `WASM file is no WebAssembly module: it begins with ${hex(bytes.subarray(0, 4))}, wanted 00 61 73 6d`;
}
