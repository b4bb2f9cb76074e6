const DAY_MS = 86_400_000

/** Whole days that a mail still has: 0 on its last one, and when it is overdue. */
export const daysLeft = (expiresAt: string, nowMs: number): number =>
  Math.max(0, Math.floor((Date.parse(expiresAt) - nowMs) / DAY_MS))
