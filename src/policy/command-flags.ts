/** What follows a flag. `optional` values are only ever attached (`--color=auto`, `-M90%`). */
export type FlagValue = 'none' | 'number' | 'text' | 'optional';

/** The flags that a program may be given, by exact name; everything else is refused. */
export type FlagTable = ReadonlyMap<string, FlagValue>;

/** Makes a table from words: `flagTable({ none: '-c --count', number: '-m' })`. */
export function flagTable(words: Partial<Record<FlagValue, string>>): FlagTable {
  const values: readonly FlagValue[] = ['none', 'number', 'text', 'optional'];
  return new Map(
    values.flatMap((value) =>
      (words[value] ?? '')
        .split(/\s+/)
        .filter(Boolean)
        .map((name) => [name, value] as const),
    ),
  );
}

/** Arguments taken apart. Written out again by `formatFlags`, so that the program reads exactly what was understood here. */
export interface ParsedArguments {
  readonly flags: readonly ParsedFlag[];
  readonly operands: readonly string[];
  /** What followed `--`; undefined when there was none. */
  readonly operandsAfterDashes: readonly string[] | undefined;
}
export interface ParsedFlag {
  readonly name: string;
  readonly value?: string;
}

export interface FlagOptions {
  /** The flag that `-5` is short for, where the program has that form. */
  readonly digitsMean?: string | undefined;
}

/** Takes arguments apart, or says which is not allowed. Long flags must be spelt out: GNU’s abbreviations are refused. */
export function parseFlags(args: readonly string[], table: FlagTable, options: FlagOptions): ParsedArguments | { readonly issue: string } {
  const flags: ParsedFlag[] = [];
  const operands: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') return { flags, operands, operandsAfterDashes: args.slice(at + 1) };
    if (arg === '-' || !arg.startsWith('-')) {
      operands.push(arg);
      continue;
    }
    const read = readFlags(arg, { table, options, next: args[at + 1] });
    if ('issue' in read) return read;
    flags.push(...read.flags);
    if (read.tookNext) at += 1;
  }
  return { flags, operands, operandsAfterDashes: undefined };
}

interface FlagContext {
  readonly table: FlagTable;
  readonly options: FlagOptions;
  readonly next: string | undefined;
}
type FlagReading = { readonly flags: readonly ParsedFlag[]; readonly tookNext: boolean } | { readonly issue: string };

function readFlags(arg: string, context: FlagContext): FlagReading {
  const { digitsMean } = context.options;
  if (digitsMean !== undefined && /^-\d{1,9}$/.test(arg)) return { flags: [{ name: digitsMean, value: arg.slice(1) }], tookNext: false };
  if (!arg.startsWith('--')) return readBundle(arg, context);
  const equalsAt = arg.indexOf('=');
  const name = equalsAt === -1 ? arg : arg.slice(0, equalsAt);
  return readFlag({ name, attached: equalsAt === -1 ? undefined : arg.slice(equalsAt + 1) }, context);
}

function readFlag(flag: { name: string; attached: string | undefined }, { table, next }: FlagContext): FlagReading {
  const { name, attached } = flag;
  const wanted = table.get(name);
  if (wanted === undefined) return { issue: `the flag ${JSON.stringify(name)} is not among those allowed` };
  if (wanted === 'none') {
    return attached === undefined ? { flags: [{ name }], tookNext: false } : { issue: `the flag ${JSON.stringify(name)} takes no value` };
  }
  if (wanted === 'optional') return { flags: [attached === undefined ? { name } : { name, value: attached }], tookNext: false };
  const value = attached ?? next;
  if (value === undefined) return { issue: `the flag ${JSON.stringify(name)} lacks its value` };
  if (wanted === 'number' && !/^[+-]?\d{1,12}[A-Za-z]{0,2}$/.test(value)) {
    return { issue: `the flag ${JSON.stringify(name)} takes a number, not ${JSON.stringify(value)}` };
  }
  return { flags: [{ name, value }], tookNext: attached === undefined };
}

/** `-no` is `-n -o`; the first flag with a value takes the rest. */
function readBundle(arg: string, context: FlagContext): FlagReading {
  const flags: ParsedFlag[] = [];
  for (let at = 1; at < arg.length; at += 1) {
    const name = `-${arg[at] ?? ''}`;
    const rest = arg.slice(at + 1);
    const takesValue = (context.table.get(name) ?? 'none') !== 'none';
    const read = readFlag({ name, attached: takesValue && rest !== '' ? rest : undefined }, context);
    if ('issue' in read) return read;
    flags.push(...read.flags);
    if (takesValue) return { flags, tookNext: read.tookNext };
  }
  return { flags, tookNext: false };
}

/** Writes flags out in the one form that every option parser reads alike. */
export function formatFlags(flags: readonly ParsedFlag[], table: FlagTable): readonly string[] {
  return flags.flatMap(({ name, value }) => {
    if (value === undefined) return [name];
    if (name.startsWith('--')) return [`${name}=${value}`];
    return table.get(name) === 'optional' ? [`${name}${value}`] : [name, value];
  });
}
