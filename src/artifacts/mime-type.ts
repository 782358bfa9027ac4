const MIME_TYPE = /^[\w.+-]{1,64}\/[\w.+-]{1,64}(?:;[\x20-\x7e]{1,64})?$/;
/** Longer names are no extension of anything. */
const EXTENSION = /\.([A-Za-z0-9]{1,16})$/;
export const UNKNOWN_TYPE = 'application/octet-stream';

/** What scripts write and the registry either does not know or knows as something else: `.ts` is a video there. */
const OWN_TYPES: Readonly<Record<string, string>> = {
  cts: 'text/plain',
  jsonl: 'application/x-ndjson',
  mts: 'text/plain',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
  py: 'text/x-python',
  rb: 'text/x-ruby',
  ts: 'text/plain',
};

export const isMimeType = (text: string): boolean => MIME_TYPE.test(text);

/** The type without its parameters, in the one spelling that it is compared in. */
export const essenceOf = (mimeType: string): string => (mimeType.split(';')[0] ?? '').trim().toLowerCase();

/** The type that a file goes by: what is said of it, if that is well-formed, else what its extension means. */
export async function mimeTypeOf(file: { readonly name: string; readonly mimeType?: string | undefined }): Promise<string> {
  if (file.mimeType !== undefined && isMimeType(file.mimeType)) return file.mimeType;
  const extension = EXTENSION.exec(file.name)?.[1]?.toLowerCase();
  if (extension === undefined) return UNKNOWN_TYPE;
  if (Object.hasOwn(OWN_TYPES, extension)) return OWN_TYPES[extension] ?? UNKNOWN_TYPE;
  // The registry takes longer to load than a server may take to start, and most never need it.
  const { default: registry } = await import('mime');
  return registry.getType(extension) ?? UNKNOWN_TYPE;
}
