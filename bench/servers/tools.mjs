// One tool shape for the reference servers and for the generated plugins: about half a kilobyte, five typed inputs.
export const toolName = (index) => (index === 0 ? 'echo' : `tool_${String(index).padStart(4, '0')}`);
export const describe = (index) => `Echo number ${index}: returns its arguments unchanged. Used to measure the bridge; the text has the length of an ordinary tool description.`;

export const shapeOf = (z, index) => ({
  text: z.string().min(0).max(1048576).describe(`The text to echo (tool ${index})`),
  count: z.number().int().min(1).max(100).describe('How many times').optional(),
  flag: z.boolean().describe('An unused switch').optional(),
  mode: z.enum(['plain', 'upper', 'lower']).describe('How to return it').optional(),
  tags: z.array(z.string()).max(16).describe('Labels').optional(),
});

export const schemaOf = (index) => ({
  type: 'object',
  properties: {
    text: { type: 'string', description: `The text to echo (tool ${index})`, minLength: 0, maxLength: 1048576 },
    count: { type: 'integer', description: 'How many times', minimum: 1, maximum: 100 },
    flag: { type: 'boolean', description: 'An unused switch' },
    mode: { type: 'string', enum: ['plain', 'upper', 'lower'], description: 'How to return it' },
    tags: { type: 'array', items: { type: 'string' }, description: 'Labels', maxItems: 16 },
  },
  required: ['text'],
  additionalProperties: false,
});
