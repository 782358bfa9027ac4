/** Where a plugin directory came from; decides trust (DESIGN.md, “Trust”). */
export const ORIGINS = ['flag', 'config', 'user', 'workspace', 'installed'] as const;
export type Origin = (typeof ORIGINS)[number];
