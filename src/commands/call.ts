import { userInfo } from 'node:os';

import type { Tool } from '../catalog/catalog.ts';
import type { CallAnswer, Content, Outcome } from '../dispatch/outcome.ts';
import { HostError } from '../errors.ts';
import type { Host } from '../host.ts';
import { VERSION } from '../version.ts';
import { EXIT, EXIT_OF_OUTCOME } from './exit-codes.ts';
import { unknownPlugin } from './info.ts';
import { formatTable, printable, writeJson, type Output } from './output.ts';
import { listParameters, readPairs, readWords, type WordReading } from './tool-arguments.ts';

interface CallOptions {
  readonly plugin: string;
  readonly command: string;
  readonly json: boolean;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** `plugbridge call NAME COMMAND`: the same dispatch as an MCP call, with the client `cli`. */
export async function runCall(
  host: Host,
  options: CallOptions & { readonly pairs: readonly string[]; readonly args: string | undefined },
): Promise<number> {
  const tool = findCommand(host, options);
  const pairs = readPairs(tool.definition.inputSchema, options.pairs);
  if (!pairs.ok) return failUsage(pairs, options.output);
  const whole = readJsonArguments(options.args);
  if (!whole.ok) return failUsage(whole, options.output);
  return callTool(host, { ...options, tool, args: { ...whole.args, ...pairs.args } });
}

/** `plugbridge PLUGIN COMMAND words…`, as the seed has it for its own host. */
export async function runPluginVerb(host: Host, options: CallOptions & { readonly words: readonly string[] }): Promise<number> {
  const tool = findCommand(host, options);
  // What follows `--` belongs to the command, even if it looks like an option.
  const end = options.words.indexOf('--');
  if (options.words.slice(0, end < 0 ? undefined : end).includes('--help')) {
    options.output.write(describeCommand(tool));
    return EXIT.ok;
  }
  const reading = readWords(tool.definition.inputSchema, options.words);
  if (!reading.ok) return failUsage(reading, options.output, `\n\n${describeCommand(tool)}`);
  return callTool(host, { ...options, tool, args: reading.args });
}

/** `plugbridge PLUGIN --help`: the commands of a plugin. */
export function describePlugin(host: Host, name: string): string {
  const entry = host.catalog.current().findPlugin(name);
  if (!entry) throw unknownPlugin(host, name);
  const tools = host.catalog.current().tools.filter((tool) => tool.plugin === entry.plugin);
  const rows = tools.map((tool) => [`  ${printable(tool.command.name)}`, printable(tool.command.description)]);
  const status = entry.error === undefined ? '' : `\n\n${entry.status}: ${printable(entry.error)}`;
  return `Usage: plugbridge ${name} COMMAND [words] [--option value]\n\n${printable(entry.plugin?.description ?? '')}\n\nCommands:\n${formatTable(rows)}${status}`;
}

function describeCommand(tool: Tool): string {
  const parameters = listParameters(tool.definition.inputSchema);
  const words = parameters.filter((one) => one.required).map((one) => ` ${one.name.toUpperCase()}`);
  const rows = parameters.map((one) => [
    `  --${printable(one.name)}`,
    one.type,
    one.required ? 'required' : '',
    printable(one.description),
  ]);
  const head = `Usage: plugbridge ${tool.plugin.name} ${tool.command.name}${printable(words.join(''))} [--option value]\n\n${printable(tool.command.description)}`;
  return rows.length === 0 ? head : `${head}\n\n${formatTable(rows)}`;
}

function findCommand(host: Host, { plugin, command }: CallOptions): Tool {
  const entry = host.catalog.current().findPlugin(plugin);
  if (!entry) throw unknownPlugin(host, plugin);
  if (!entry.callable) {
    throw new HostError('CATALOG_NOT_CALLABLE', { plugin, status: entry.status, reason: entry.error ?? 'see plugbridge info' });
  }
  const tools = host.catalog.current().tools.filter((tool) => tool.plugin === entry.plugin);
  const found = tools.find((tool) => tool.command.name === command);
  if (found) return found;
  throw new HostError('CATALOG_UNKNOWN_COMMAND', { plugin, command, known: tools.map((tool) => tool.command.name).join(', ') });
}

async function callTool(host: Host, call: CallOptions & { readonly tool: Tool; readonly args: Record<string, unknown> }): Promise<number> {
  const answer = await host.dispatch.call({
    tool: call.tool.definition.name,
    arguments: call.args,
    caller: { client: 'cli', clientVersion: VERSION, transport: 'cli', principal: userInfo().username },
    signal: call.signal,
    canAsk: false,
    onLog: (line) => call.output.note(`[${call.tool.plugin.name}] ${printable(line.message)}`),
  });
  return showAnswer(host, answer, call);
}

function showAnswer(host: Host, answer: CallAnswer, { json, output }: CallOptions): number {
  if (answer.kind === 'unknown-tool') {
    output.note(answer.message);
    return EXIT.usage;
  }
  if (answer.kind === 'ask') {
    output.note(answer.request.message);
    return EXIT.refused;
  }
  const { outcome } = answer;
  if (json) writeJson(output, outcome);
  else {
    const [text = '', ...remarks] = outcome.content.flatMap((item) => describeContent(host, item));
    if (outcome.kind === 'ok') output.write(output.isTerminal ? printable(text) : text);
    else output.note(printable(text));
    // Beside the answer, so that what reads the answer gets it alone.
    for (const remark of remarks) output.note(printable(remark));
  }
  return exitOf(outcome);
}

/** For people: a file by where it lies. Images are files as well, and come with a link of their own. */
function describeContent({ artifacts }: Host, item: Content): readonly string[] {
  switch (item.type) {
    case 'text':
      return [item.text];
    case 'image':
      return [];
    case 'resource_link': {
      const facts = [item.mimeType, item.size === undefined ? undefined : `${item.size} bytes`, item.description];
      return [`Kept ${artifacts.locate(item.uri) ?? item.uri} (${facts.filter((fact) => fact !== undefined).join(', ')})`];
    }
  }
}

/** A tool that failed after a refusal most likely failed for it, and a person can do something about that. */
function exitOf({ kind, error, refusals }: Outcome): number {
  if (error?.code === 'DISPATCH_ARGUMENTS_INVALID') return EXIT.usage;
  return kind === 'failed' && refusals.length > 0 ? EXIT.refused : EXIT_OF_OUTCOME[kind];
}

function failUsage(reading: WordReading, output: Output, more = ''): number {
  if (!reading.ok) output.note(`Cannot read the arguments: ${reading.problem}${more}`);
  return EXIT.usage;
}

function readJsonArguments(text: string | undefined): WordReading {
  if (text === undefined) return { ok: true, args: {} };
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return { ok: true, args: parsed as Record<string, unknown> };
  } catch {
    // Reported below, like JSON that is no object.
  }
  return { ok: false, problem: `--args is ${JSON.stringify(text.slice(0, 80))}, wanted is a JSON object` };
}
