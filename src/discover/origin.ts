/** Where a plugin directory came from; decides trust (DESIGN.md, “Trust”). */
export const ORIGINS = ['flag', 'config', 'user', 'workspace', 'proposed', 'installed'] as const;
export type Origin = (typeof ORIGINS)[number];

/** Whether nobody who uses this machine put it there: a repository brought it along, or a client wrote it. */
export const isForeign = (origin: Origin): boolean => origin === 'workspace' || origin === 'proposed';
