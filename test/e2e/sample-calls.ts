/** One call of every script sample, one sample per language, with a part of its answer. */
export const SAMPLE_CALLS = {
  'csv-chart': {
    tool: 'plugin_csv-chart_draw',
    args: { csv: 'Month,Revenue,Costs\nJan,12000,9000\nFeb,13500,9400\n' },
    answer: { kind: 'bar', rows: 2, columns: [{ name: 'Revenue', max: 13_500 }, { name: 'Costs' }] },
  },
  'html-to-text': {
    tool: 'plugin_html-to-text_convert',
    args: { html: '<title>A &amp; B</title><h1>Hello <em>World</em></h1>' },
    answer: { title: 'A & B', text: '# Hello *World*' },
  },
  'image-resize': {
    tool: 'plugin_image-resize_resize',
    args: {
      png: 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADElEQVR42mNg+A+EAAYAAf+tLDclAAAAAElFTkSuQmCC',
      width: 4,
    },
    answer: { width: 4, height: 4, source: { width: 2, height: 2 } },
  },
  'json-transform': {
    tool: 'plugin_json-transform_run',
    args: {
      data: '[{"id":1,"state":"open"},{"id":2,"state":"done"}]',
      steps: [{ where: { path: 'state', equals: 'open' } }, { pick: ['id'] }],
    },
    answer: { result: [{ id: 1 }] },
  },
  'log-scan': {
    tool: 'plugin_log-scan_scan',
    args: { text: '2026-05-11T14:32:01Z ERROR db: timeout after 30 ms\n2026-05-11T14:33:07Z ERROR db: timeout after 31 ms\n' },
    answer: { top: [{ count: 2 }] },
  },
} as const;

export type SampleName = keyof typeof SAMPLE_CALLS;
export const SAMPLE_NAMES = Object.keys(SAMPLE_CALLS) as readonly SampleName[];

/** All text of a result. */
export const textOf = (result: { readonly content: readonly { readonly text?: string }[] }): string =>
  result.content.map(({ text }) => text ?? '').join('\n');
