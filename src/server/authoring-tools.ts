import { z } from 'zod';
import type { Authoring, AuthoringCall, DraftAnswer } from '../authoring/authoring.ts';
import { LANGUAGES } from '../manifest/plugin.ts';
import { TestFileSchema } from '../trials/test-case.ts';
import { failedCall } from './answers.ts';
import type { Approvals, Wording } from './approval.ts';
import { canAskPerson, identifyCaller, type Connection } from './caller.ts';
import type { Changes } from './changes.ts';
import { showDraft } from './draft-answers.ts';
import { createOwnTool, type OwnTool, type ToolAnswer, type ToolRequest } from './own-tool.ts';

const NameSchema = z.string().min(1).max(64).describe('the name of the plugin: letters, digits, _ and -');
const ParameterSchema = z.strictObject({
  name: z.string().min(1).max(64),
  type: z.enum(['string', 'number', 'integer', 'boolean', 'array', 'object']),
  description: z.string().max(1_000).optional(),
  required: z.boolean().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.unknown()).max(100).optional(),
});
const DraftSchema = z.strictObject({
  name: NameSchema,
  language: z.enum(LANGUAGES).optional().describe('the language of the script; wanted unless "from" is given'),
  description: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .describe('what the tool does, for whoever chooses it; wanted unless "from" is given'),
  parameters: z.array(ParameterSchema).max(64).default([]).describe('become the input schema of the tool'),
  capabilities: z
    .array(z.string().min(1).max(200))
    .max(32)
    .default([])
    .describe(
      'what it needs beyond its own files, such as net:example.com:443; a draft with any is not tried, and a person has to grant them',
    ),
  code: z
    .string()
    .min(1)
    .max(256 * 1024)
    .optional()
    .describe('the whole script, standard library only; wanted unless "from" is given'),
  tests: z
    .array(TestFileSchema)
    .max(16)
    .default([])
    .describe('calls and what they must give; without tests, arguments are made from the parameters'),
  from: z.string().min(1).max(64).optional().describe('a script plugin to copy instead, which is then patched'),
});
const PatchSchema = z.strictObject({
  name: NameSchema,
  edits: z
    .array(
      z.strictObject({
        file: z.string().min(1).max(1_024).describe('a file of the draft, as the answer to the draft lists them'),
        find: z.string().min(1).max(65_536).describe('text that stands in the file exactly once'),
        replace: z.string().max(65_536).describe('what stands there instead'),
      }),
    )
    .min(1)
    .max(50)
    .describe('made one after the other, all or none'),
});
const ProposeSchema = z.strictObject({ name: NameSchema });

const ACCEPTANCE: Wording = {
  description: 'Whether the plugin becomes a tool',
  choices: { always: 'Yes, as it is now', no: 'No, remove it' },
};

export interface AuthoringToolsDeps {
  readonly authoring: Authoring;
  readonly approvals: Approvals;
  readonly changes: Changes;
  readonly connection: Connection;
}

/** The tools by which a client writes plugins, for as long as the server was started with that option. */
export function createAuthoringTools({ authoring, approvals, changes, connection }: AuthoringToolsDeps): readonly OwnTool[] {
  const callOf = (request: ToolRequest): AuthoringCall => ({
    caller: identifyCaller(request, connection),
    signal: request.ctx.mcpReq.signal,
  });
  const show = (answer: DraftAnswer): ToolAnswer => {
    if (answer.kind === 'refused') return failedCall(answer.reason);
    if (answer.report.runs.some((one) => (one.run?.artifacts.length ?? 0) > 0)) changes.resourcesChanged();
    return showDraft(answer.report);
  };

  const draft = createOwnTool({
    name: 'plugbridge_draft_plugin',
    title: 'Draft a plugin',
    description:
      'Writes a plugin with one script as a draft, checks it and runs it in the sandbox. The script reads its arguments as one JSON object from stdin ' +
      'and prints one JSON object; {"error": "…"} says that it could not, {"files": ["chart.png"]} hands over files from its working directory. ' +
      'There are three attempts; the second and third are patches with plugbridge_patch_plugin. Look at the images it returns before you go on.',
    input: DraftSchema,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    async run({ from, name, language, description, code, ...plan }, request) {
      if (from !== undefined) {
        if (code !== undefined) return failedCall('Cannot draft a copy with "code": a copy is changed with plugbridge_patch_plugin');
        return show(await authoring.copy(from, name, callOf(request)));
      }
      if (language === undefined || description === undefined || code === undefined) {
        return failedCall('Cannot draft this: "language", "description" and "code" are wanted, or "from"');
      }
      const parameters = plan.parameters.map(dropUndefined);
      return show(await authoring.draft({ ...plan, parameters, name, language, description, code }, callOf(request)));
    },
  });
  const patch = createOwnTool({
    name: 'plugbridge_patch_plugin',
    title: 'Patch a drafted plugin',
    description:
      'Changes places in the files of a draft, then checks and runs it again. It is the only way to change a draft: it cannot be written anew. ' +
      'A draft that works may be patched further, again with three attempts.',
    input: PatchSchema,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
    run: async ({ name, edits }, request) => show(await authoring.patch(name, edits, callOf(request))),
  });
  const propose = createOwnTool({
    name: 'plugbridge_propose_plugin',
    title: 'Propose a drafted plugin',
    description:
      'Proposes a draft that passed to the person at this machine. It becomes a tool only when the person accepts it: asked by this call where the client can ask, ' +
      'else by running plugbridge trust.',
    input: ProposeSchema,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    async run({ name }, request) {
      const approval = approvals.readAnswer(request.ctx);
      const answer = await authoring.propose(
        { name, canAsk: canAskPerson(request), ...(approval === undefined ? {} : { approval }) },
        callOf(request),
      );
      switch (answer.kind) {
        case 'refused':
          return failedCall(answer.reason);
        case 'ask':
          return approvals.ask(answer.request, request.server.getNegotiatedProtocolVersion(), ACCEPTANCE);
        case 'proposed':
          return say(
            `Proposed, and no tool yet: it lies in ${answer.directory} until a person looks at it and runs: plugbridge trust ${name}`,
            { name, accepted: false },
          );
        case 'accepted':
          return say(`The person accepted it. New tools: ${answer.tools.join(', ')}`, { name, accepted: true, tools: answer.tools });
        case 'declined':
          return say('The person declined it, and the proposal is removed. Ask the person what should be different', {
            name,
            accepted: false,
          });
      }
    },
  });
  return [draft, patch, propose];
}

const say = (text: string, structuredContent: Record<string, unknown>): ToolAnswer => ({
  content: [{ type: 'text', text }],
  structuredContent,
});

/** Absent members, which a schema gives as undefined, are not written down. */
function dropUndefined<Parameter extends object>(parameter: Parameter): { [Key in keyof Parameter]: Exclude<Parameter[Key], undefined> } {
  const entries = Object.entries(parameter).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Parameter]: Exclude<Parameter[Key], undefined> };
}
