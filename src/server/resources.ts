import { ResourceNotFoundError, ProtocolError, ProtocolErrorCode, type Resource, type Server } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { CatalogSource, PluginEntry } from '../catalog/catalog.ts';
import type { Artifact } from '../dispatch/outcome.ts';
import type { Log } from '../log.ts';
import { toProtocolError } from './answers.ts';
import type { ArtifactReader } from './artifacts.ts';
import { SERVER_LIMITS } from './limits.ts';
import { toOneLine } from '../dispatch/one-line.ts';

export interface ResourcesDeps {
  readonly catalog: CatalogSource;
  readonly artifacts: ArtifactReader;
  readonly log: Log;
}

const PLUGIN_SCHEME = 'plugin://';
const ARTIFACT_SCHEME = 'artifact://';
const ListSchema = z.looseObject({ cursor: z.string().max(4096).optional() });
const ReadSchema = z.looseObject({ uri: z.string().max(4096) });
const TEMPLATES = [
  {
    uriTemplate: `${ARTIFACT_SCHEME}{call}/{name}`,
    name: 'artifact',
    title: 'Artifact',
    description: 'A file that a plugin call produced, or the whole of an output that was cut',
  },
  {
    uriTemplate: `${PLUGIN_SCHEME}{name}`,
    name: 'plugin',
    title: 'Plugin',
    description: 'What is known of an installed plugin',
    mimeType: 'application/json',
  },
];

/** `resources/list`, `resources/templates/list` and `resources/read`: artifacts, and one page of facts about each plugin. */
export function registerResources(server: Server, deps: ResourcesDeps): void {
  server.setRequestHandler('resources/list', { params: ListSchema }, ({ cursor }) =>
    guard(deps.log, 'resources/list', async () => paginate(await listResources(deps), cursor)),
  );
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: TEMPLATES }));
  server.setRequestHandler('resources/read', { params: ReadSchema }, ({ uri }) =>
    guard(deps.log, 'resources/read', async () => ({ contents: [await readResource(deps, uri)] })),
  );
}

/** No error of ours leaves as it is: the SDK would put its message on the wire. */
async function guard<Result>(log: Log, method: string, answer: () => Promise<Result>): Promise<Result> {
  try {
    return await answer();
  } catch (error) {
    throw toProtocolError(error, log, method);
  }
}

async function listResources({ catalog, artifacts }: ResourcesDeps): Promise<Resource[]> {
  const plugins = catalog.current().entries.map(describePlugin);
  const stored = (await artifacts.list()).map(describeArtifact);
  return [...plugins, ...stored].toSorted((a, b) => (a.uri < b.uri ? -1 : 1));
}

const pluginUri = (name: string): string => PLUGIN_SCHEME + encodeURIComponent(name);

const describePlugin = ({ name, plugin, status }: PluginEntry): Resource => ({
  uri: pluginUri(name),
  name: toOneLine(name, 100),
  description: plugin === undefined ? `A plugin that is ${status}` : toOneLine(plugin.description, 300),
  mimeType: 'application/json',
});

const describeArtifact = ({ uri, name, mimeType, bytes }: Artifact): Resource => ({
  uri,
  name: toOneLine(name, 200),
  mimeType,
  size: bytes,
});

/** A cursor is the last URI of the page before, so that additions between two pages lose nothing. */
function paginate(resources: readonly Resource[], cursor: string | undefined): { resources: Resource[]; nextCursor?: string } {
  const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString();
  const rest = resources.filter((resource) => resource.uri > after);
  const page = rest.slice(0, SERVER_LIMITS.resourcesPerPage);
  const last = page.at(-1);
  if (rest.length === page.length || last === undefined) return { resources: page };
  return { resources: page, nextCursor: Buffer.from(last.uri).toString('base64url') };
}

type Contents = { uri: string; mimeType: string; text: string } | { uri: string; mimeType: string; blob: string };

async function readResource(deps: ResourcesDeps, uri: string): Promise<Contents> {
  if (uri.startsWith(ARTIFACT_SCHEME)) return readArtifact(deps.artifacts, uri);
  const entry = deps.catalog.current().entries.find((candidate) => pluginUri(candidate.name) === uri);
  if (entry === undefined) throw new ResourceNotFoundError(uri);
  return { uri, mimeType: 'application/json', text: JSON.stringify(summarizePlugin(deps, entry), null, 2) };
}

async function readArtifact(artifacts: ArtifactReader, uri: string): Promise<Contents> {
  const limitBytes = SERVER_LIMITS.resourceBytes;
  const answer = await artifacts.read(uri, { offsetBytes: 0, limitBytes });
  if (answer.kind === 'missing') throw new ResourceNotFoundError(uri);
  const { artifact, bytes, text, nextOffsetBytes } = answer.page;
  if (nextOffsetBytes !== undefined) {
    const wanted = `resources are read up to ${limitBytes}, more in parts with the tool plugbridge_read_artifact`;
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Cannot read "${uri}" whole: it has ${artifact.bytes} bytes, ${wanted}`);
  }
  const { mimeType } = artifact;
  return text === undefined ? { uri, mimeType, blob: Buffer.from(bytes).toString('base64') } : { uri, mimeType, text };
}

/** Facts for a model or a person; where the plugin lies on this machine is not among them. */
function summarizePlugin({ catalog }: ResourcesDeps, entry: PluginEntry): Record<string, unknown> {
  const { name, system, status, error, warnings, plugin } = entry;
  const tools = catalog.current().tools.filter((tool) => tool.plugin.id === plugin?.id);
  return {
    name,
    system,
    status,
    ...(error === undefined ? {} : { error }),
    warnings,
    ...(plugin === undefined
      ? {}
      : {
          version: plugin.version,
          description: plugin.description,
          digest: plugin.digest,
          requests: plugin.requests,
          tags: plugin.tags,
          keywords: plugin.keywords,
          limits: plugin.limits,
        }),
    tools: tools.map((tool) => ({ tool: tool.definition.name, command: tool.command.name, description: tool.definition.description })),
  };
}
