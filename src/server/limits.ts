/** Bounds of the protocol side. Every one has a name; none can be switched off. */
export const SERVER_LIMITS = {
  /** Bytes of one JSON-RPC message from a client, on stdio a line, over HTTP a body. */
  messageBytes: 4 * 1024 * 1024,
  /** Bytes of an artifact that is read whole, as a resource; stdio clients drop the connection at a line of 10 MiB (mcp.md §2, trap 8). */
  resourceBytes: 1024 * 1024,
  /** Resources on one page of `resources/list`. */
  resourcesPerPage: 200,
  /** Bytes of an artifact that one call of `plugbridge_read_artifact` returns. */
  artifactPartBytes: 40_000,
  /** Bytes of instructions; Claude Code cuts at 2 KB (mcp.md §6). */
  instructionsBytes: 2048,
  /** Log lines and progress reports that one call may send to the client. */
  notificationsPerCall: 500,
  /** Notifications of one call that may wait for a slow client; more are dropped. */
  notificationsWaiting: 64,
  /** Characters of one log line or progress message. */
  messageCharacters: 2000,
  /** Tool definitions that one search returns. */
  searchHits: 10,
  /** Characters of definitions that one search returns. */
  searchCharacters: 40_000,
  /** Life of a question to a person; longer than the 10 minutes that the SDK waits for the answer. */
  approvalSeconds: 660,
} as const;
