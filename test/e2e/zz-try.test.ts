import { expect, test } from 'vitest';
import { runCli, usePlace } from '../helpers/built-cli.ts';
import { addWorkbench } from './workbench.ts';
test('try', async () => {
  const place = usePlace();
  const t = Date.now();
  await addWorkbench(place.plugins);
  process.stdout.write(`${Date.now() - t} ms\n`);
  for (const args of [['say', '--', 'hi'], ['object', '--json'], ['list'], ['fail'], ['trap'], ['steps']])
    process.stdout.write(JSON.stringify(await runCli(place, ['workbench', ...place.options, ...args])) + '\n');
  expect(1).toBe(1);
});
