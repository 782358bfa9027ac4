import { HostError } from '../errors.ts';

export interface PluginVerb {
  readonly plugin: string;
  readonly command: string | undefined;
  /** What belongs to the command, in its order. */
  readonly words: readonly string[];
  readonly common: {
    readonly plugins: readonly string[];
    readonly root?: string;
    readonly config?: string;
    readonly policy?: string;
    readonly json: boolean;
  };
}

const VALUE_OPTIONS = ['plugins', 'root', 'config', 'policy'] as const;

/**
 * Takes `plugbridge PLUGIN COMMAND words…` apart. Our common options are ours wherever they stand before `--`;
 * a parameter of the same name is reached with `--` no more, but with `plugbridge call`.
 * Throws COMMANDS_VALUE_MISSING for one of ours without its value.
 */
export function splitPluginVerb(argv: readonly string[]): PluginVerb {
  const [plugin = '', ...rest] = argv;
  const plugins: string[] = [];
  const single: { root?: string; config?: string; policy?: string } = {};
  const words: string[] = [];
  let json = false;
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] ?? '';
    if (word === '--') {
      words.push(...rest.slice(i));
      break;
    }
    if (word === '--json') {
      json = true;
      continue;
    }
    const option = VALUE_OPTIONS.find((name) => word === `--${name}` || word.startsWith(`--${name}=`));
    if (option === undefined) {
      words.push(word);
      continue;
    }
    const value = word.includes('=') ? word.slice(word.indexOf('=') + 1) : rest[++i];
    if (value === undefined || value === '') throw new HostError('COMMANDS_VALUE_MISSING', { option: `--${option}` });
    if (option === 'plugins') plugins.push(value);
    else single[option] = value;
  }
  const common = { plugins, ...single, json };
  const [command] = words;
  if (command === undefined || command === '--help' || command === '-h') return { plugin, command: undefined, words: [], common };
  return { plugin, command, words: words.slice(1), common };
}
