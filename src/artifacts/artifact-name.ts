const MAX_NAME_CHARS = 96;
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}$/;
const CALL_ID = /^[A-Za-z0-9_-]{1,64}$/;
const URI = /^artifact:\/\/([^/]*)\/([^/]*)$/;
/** Names that Windows gives to devices, whatever their extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

export const isCallId = (text: string): boolean => CALL_ID.test(text);
export const artifactUri = (callId: string, name: string): string => `artifact://${callId}/${name}`;

/** The parts of an artifact’s URI; undefined for everything that the store cannot have given out, traversal included. */
export function tryParseArtifactUri(uri: string): { readonly callId: string; readonly name: string } | undefined {
  const [, callId = '', name = ''] = URI.exec(uri) ?? [];
  return isCallId(callId) && NAME.test(name) ? { callId, name } : undefined;
}

/**
 * A file name of ASCII letters, digits, `.`, `_` and `-` that needs no escaping anywhere, made from what a plugin
 * wants: the last part of its path, other characters replaced, no leading dot, at most 96 characters with the extension kept.
 */
export function sanitizeName(wanted: string): string {
  const last = wanted.slice(-1024).split(/[/\\]/).at(-1) ?? '';
  const plain = last
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^\.+/, '')
    .replace(/\.+$/, '');
  if (plain === '') return 'artifact';
  const [stem, extension] = splitExtension(plain.replace(DEVICE, '_$&'));
  return stem.slice(0, MAX_NAME_CHARS - extension.length) + extension;
}

/** The name for the n-th file that wants the same one, from 2: `report-2.txt`. */
export function numberName(name: string, count: number): string {
  const [stem, extension] = splitExtension(name);
  return `${stem}-${count}${extension}`;
}

function splitExtension(name: string): readonly [stem: string, extension: string] {
  const extension = /(?<=.)\.[A-Za-z0-9]{1,12}$/.exec(name)?.[0] ?? '';
  return [name.slice(0, name.length - extension.length), extension];
}
