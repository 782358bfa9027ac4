import type { CapabilityUse, Permit } from '../../src/executors/executor.ts';
import {
  createEgress,
  DEFAULT_EGRESS_LIMITS,
  type EgressLimits,
  type EgressOptions,
  type EgressRequest,
} from '../../src/executors/egress/egress.ts';

export interface EgressSetup extends Partial<Omit<EgressOptions, 'limits'>> {
  readonly limits?: Partial<EgressLimits>;
}

/** An egress that permits everything unless told otherwise, with what it asked and a short way to request. */
export function openEgress({ limits, permit, ...options }: EgressSetup = {}) {
  const asked: CapabilityUse[] = [];
  const egress = createEgress({
    ...options,
    limits: { ...DEFAULT_EGRESS_LIMITS, ...limits },
    permit(use) {
      asked.push(use);
      return permit?.(use) ?? { allowed: true };
    },
  });
  const request = (url: string, more: Partial<EgressRequest> = {}) =>
    egress.request({ url, method: 'GET', headers: {}, body: '', ...more });
  return { asked, request };
}

/** Refuses the uses that match. */
export const refuseWhen =
  (matches: (use: CapabilityUse) => boolean, reason = 'it is not granted') =>
  (use: CapabilityUse): Permit =>
    matches(use) ? { allowed: false, capability: use.kind, by: 'grant', reason } : { allowed: true };
