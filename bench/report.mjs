// Rounds of measurements → Markdown tables. A ratio is formed inside a round; what is shown is the median over the rounds.

const median = (values) => {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[Math.floor(sorted.length / 2)];
};
const showMs = (ms) => (ms < 1 ? `${(ms * 1000).toFixed(0)} µs` : `${ms.toFixed(ms < 10 ? 2 : 0)} ms`);
const showRatio = (ratio) => (Number.isFinite(ratio) ? ratio.toFixed(ratio < 0.1 ? 3 : 2) : '–');
const toTable = (rows) => {
  const [head, ...body] = rows.map((row) => `| ${row.join(' | ')} |`);
  return [head, `|${'---|'.repeat(rows[0].length)}`, ...body].join('\n');
};

/** `rounds` is a list of maps from case to measurement. Gives the tables and whether all goals were met. */
export function reportGroup(name, group, rounds) {
  const ratioTo = (over, of, read) => median(rounds.map((round) => read(round[of]) / read(round[over])));
  const of = (label, read) => median(rounds.map((round) => read(round[label])));
  const ratio = (label, read) => ratioTo(group.reference, label, read);
  const labels = Object.keys(group.cases);
  const sections = [`### ${name}`];
  for (const [index, width] of (group.load?.concurrency ?? []).entries()) {
    const run = (read) => (measured) => read(measured.runs[index]);
    const [p50, p99] = [run((one) => one.p50Ms), run((one) => one.p99Ms)];
    const [perSecond, cpu] = [run((one) => one.perSecond), run((one) => one.cpuUs)];
    sections.push(
      `${width} in flight`,
      toTable([
        ['case', 'p50', '× p50', 'p99', '× p99', 'requests/s', '× requests/s', 'CPU', '× CPU'],
        ...labels.map((label) => [
          label,
          showMs(of(label, p50)),
          showRatio(ratio(label, p50)),
          showMs(of(label, p99)),
          showRatio(ratio(label, p99)),
          of(label, perSecond).toFixed(0),
          showRatio(ratio(label, perSecond)),
          showMs(of(label, cpu) / 1000),
          showRatio(ratio(label, cpu)),
        ]),
      ]),
    );
  }
  const firstList = (measured) => measured.firstListMs;
  const pss = (measured) => measured.memory.pssMiB;
  sections.push(
    group.load === undefined ? 'Start to first tools/list, and memory then' : 'Start to first tools/list, and memory after the load',
    toTable([
      ['case', 'first list', '× first list', 'CPU until then', 'processes', 'PSS MiB', '× PSS', 'RSS MiB', 'peak RSS MiB', 'outlived'],
      ...labels.map((label) => [
        label,
        showMs(of(label, firstList)),
        showRatio(ratio(label, firstList)),
        showMs(of(label, (measured) => measured.startCpuMs)),
        of(label, (measured) => measured.memory.processes),
        of(label, pss).toFixed(0),
        showRatio(ratio(label, pss)),
        of(label, (measured) => measured.memory.rssMiB).toFixed(0),
        of(label, (measured) => measured.memory.peakRssMiB).toFixed(0),
        rounds.reduce((sum, round) => sum + round[label].survivors, 0),
      ]),
    ]),
  );
  const goals = Object.entries(group.goals).flatMap(([label, wanted]) => judge(label, wanted, { group, ratioTo }));
  sections.push(toTable([['goal', 'wanted', 'found', 'met'], ...goals.map((goal) => goal.row)]));
  return { text: sections.join('\n\n'), areMet: goals.every((goal) => goal.isMet) };
}

function judge(label, wanted, { group, ratioTo }) {
  const goals = [];
  const add = (what, bound, found) => {
    const isMet = bound.highest === undefined ? found >= bound.lowest : found <= bound.highest;
    const text = bound.highest === undefined ? `≥ ${bound.lowest}` : `≤ ${bound.highest}`;
    goals.push({ isMet, row: [`${label}: ${what}`, text, showRatio(found), isMet ? 'yes' : '**no**'] });
  };
  if (wanted.p50At1 !== undefined) {
    add(
      'p50, 1 in flight',
      { highest: wanted.p50At1 },
      ratioTo(group.reference, label, ({ runs }) => runs[0].p50Ms),
    );
  }
  if (wanted.perSecond !== undefined) {
    const { inFlight, lowest } = wanted.perSecond;
    add(
      `requests/s, ${inFlight} in flight`,
      { lowest },
      ratioTo(group.reference, label, ({ runs }) => runs.find(({ concurrency }) => concurrency === inFlight).perSecond),
    );
  }
  if (wanted.firstList !== undefined) {
    const { over, highest } = wanted.firstList;
    add(
      `first list over that of "${over}"`,
      { highest },
      ratioTo(over, label, (measured) => measured.firstListMs),
    );
  }
  return goals;
}
