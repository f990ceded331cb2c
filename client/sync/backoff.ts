const firstMs = 500;
const longestMs = 20_000;

/** A connection must hold this long before the back-off starts afresh (SPEC E1). */
export const settledMs = 30_000;

/**
 * How long to wait before attempt number `attempt` (0 = first): full jitter, so that
 * the devices a restart threw out do not all come back in the same instant.
 */
export function backoffMs(attempt: number, random: () => number): number {
  // The exponent is capped too: 2 ** 2000 is Infinity, and Infinity times 0 is no number.
  return Math.round(random() * Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 16)));
}
