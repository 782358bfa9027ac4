import { describe, expect, test } from 'vitest';

import { createApprovalDesk, type OpenApproval } from '../../../src/dispatch/approval.ts';

const ASKED: OpenApproval = { tool: 't', argumentsDigest: 'sha256:a', pluginDigest: 'sha256:p', capabilities: ['write:fs:$ROOT'] };
const CALL = { tool: 't', argumentsDigest: 'sha256:a', pluginDigest: 'sha256:p' };

describe('createApprovalDesk().redeem()', () => {
  test('gives back what was asked, once', () => {
    const desk = createApprovalDesk(() => 0);
    const binding = desk.open(ASKED);
    expect(binding).toEqual({ tool: 't', argumentsDigest: 'sha256:a', nonce: expect.stringMatching(/^[\w-]{22}$/) as string });
    expect(desk.redeem(binding, CALL)).toMatchObject({ ok: true, approval: ASKED });
    expect(desk.redeem(binding, CALL)).toEqual({ ok: false, reason: 'this approval was used before or never asked for' });
  });

  test.for([
    ['another tool', {}, { tool: 'other' }, 'this approval was given for another tool'],
    ['a binding for another tool', { tool: 'other' }, {}, 'this approval was given for another tool'],
    ['other arguments', {}, { argumentsDigest: 'sha256:b' }, 'this approval was given for other arguments'],
    ['a binding for other arguments', { argumentsDigest: 'sha256:b' }, {}, 'this approval was given for other arguments'],
    ['a changed plugin', {}, { pluginDigest: 'sha256:q' }, 'the plugin changed since this approval was asked for'],
    ['a nonce that was never given', { nonce: 'guess' }, {}, 'this approval was used before or never asked for'],
  ] as const)('refuses %s, and the approval is used up', ([, bindingOver, callOver, reason]) => {
    const desk = createApprovalDesk(() => 0);
    const binding = { ...desk.open(ASKED), ...bindingOver };
    expect(desk.redeem(binding, { ...CALL, ...callOver })).toEqual({ ok: false, reason });
    expect(desk.redeem(binding, CALL).ok).toBe(false);
  });

  test.for([
    [599_999, true],
    [600_000, false],
  ] as const)('after %i ms: %s', ([elapsedMs, ok]) => {
    let now = 0;
    const desk = createApprovalDesk(() => now);
    const binding = desk.open(ASKED);
    now = elapsedMs;
    expect(desk.redeem(binding, CALL)).toMatchObject(ok ? { ok } : { ok, reason: 'this approval came too late' });
  });

  test('keeps 1000 open questions, the oldest goes first', () => {
    const desk = createApprovalDesk(() => 0);
    const bindings = Array.from({ length: 1_001 }, () => desk.open(ASKED));
    const [first, second] = bindings;
    if (!first || !second) throw new Error('none');
    expect(desk.redeem(first, CALL).ok).toBe(false);
    expect(desk.redeem(second, CALL).ok).toBe(true);
  });
});
