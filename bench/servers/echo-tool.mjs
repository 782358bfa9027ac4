// The one tool that every server of the benchmark has, alone or many times: some 0.5 KB of definition, five typed inputs.

/** How the tool number `index` is named; number 0 is the one that is called. */
export const toolName = (index) => (index === 0 ? 'echo' : `echo${String(index).padStart(4, '0')}`);

export const describeTool = (index) =>
  `Echo number ${index}: returns its text unchanged. Used to measure the bridge; this text has the length of an ordinary tool description.`;

/** The inputs as a zod shape. */
export const inputShape = (z, index) => ({
  text: z.string().max(1_048_576).describe(`The text to echo (tool ${index})`),
  count: z.number().int().min(1).max(100).describe('How many times').optional(),
  flag: z.boolean().describe('An unused switch').optional(),
  mode: z.enum(['plain', 'upper', 'lower']).describe('How to return it').optional(),
  tags: z.array(z.string()).max(16).describe('Labels').optional(),
});

/** The same inputs as `[commands.input]` of a PLUGIN.toml. */
export const inputToml = (index) => `text = { type = "string", maxLength = 1048576, description = "The text to echo (tool ${index})" }
count = { type = "integer?", minimum = 1, maximum = 100, description = "How many times" }
flag = { type = "boolean?", description = "An unused switch" }
mode = { type = "string?", enum = ["plain", "upper", "lower"], description = "How to return it" }
tags = { type = "string[]?", maxItems = 16, description = "Labels" }
`;
