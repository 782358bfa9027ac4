import type { Caller, Outcome } from '../../src/dispatch/outcome.ts';
import type { Host } from '../../src/host.ts';

export const TEST_CALLER: Caller = { client: 'test', clientVersion: '1', transport: 'cli', principal: 'ada' };

export interface HostCall {
  readonly plugin: string;
  readonly command: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

/** One call through the dispatch of a host, as the command line makes it. */
export async function callCommand(host: Host, { plugin, command, args = {}, signal }: HostCall): Promise<Outcome> {
  const { tools, entries } = host.catalog.current();
  const tool = tools.find((one) => one.plugin.name === plugin && one.command.name === command);
  if (!tool) throw new Error(`there is no ${plugin} ${command}: ${JSON.stringify(entries.map(({ name, error }) => [name, error]))}`);
  const answer = await host.dispatch.call({
    tool: tool.definition.name,
    arguments: args,
    caller: TEST_CALLER,
    signal: signal ?? new AbortController().signal,
    canAsk: false,
  });
  if (answer.kind !== 'done') throw new Error(`the call ended as ${answer.kind}`);
  return answer.outcome;
}

/** The first file that a call left, as it was stored. */
export async function readFirstArtifact(host: Host, { artifacts }: Outcome): Promise<Buffer> {
  const [artifact] = artifacts;
  const page = artifact && (await host.artifacts.read(artifact.uri, { offsetBytes: 0, limitBytes: artifact.bytes }));
  if (!page) throw new Error('there is no such file');
  return page.bytes;
}
