/** The limits of one server. Times are in milliseconds, sizes in bytes. */
export interface Limits {
  readonly urlBytes: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** The time limit for a client to send its headers. */
  readonly headersTimeoutMs: number;
  /** The time limit for a client to send a whole request. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A connection without traffic for this long is closed. */
  readonly idleTimeoutMs: number;
  readonly connections: number;
  /** Connections per address. Beyond it, the one that has been idle for the longest time is closed. */
  readonly connectionsPerAddress: number;
  /** Connections that are receiving a file at the same time. Beyond it, the answer is 503. */
  readonly maxTransfers: number;
  /** The same per address. */
  readonly transfersPerAddress: number;
  /** A client that reads no byte of a file for this long is disconnected. */
  readonly stallTimeoutMs: number;
  /** Large buffers (512 KiB) shared by all transfers. */
  readonly largeBuffers: number;
  /** How often long work reports progress. */
  readonly progressIntervalMs: number;
  /** Simultaneous event streams, per port. Beyond it, the answer is 503. */
  readonly streams: number;
  /** The same per address. */
  readonly streamsPerAddress: number;
  /** Simultaneous order streams; each node has one. */
  readonly orderStreams: number;
  /** The same per address. */
  readonly orderStreamsPerAddress: number;
  /** The size limit of an upload's manifest. */
  readonly manifestBytes: number;
  /** Manifests being received or read at the same time. */
  readonly announcements: number;
  /** The same per address. */
  readonly announcementsPerAddress: number;
  /** Upload pieces being received at the same time. */
  readonly uploadPieces: number;
  /** The same per address. */
  readonly uploadPiecesPerAddress: number;
  /** The heartbeat interval of an event stream. */
  readonly heartbeatMs: number;
}

/** Enough for a server on a LAN with some hundred nodes. */
export const defaultLimits: Limits = {
  urlBytes: 8 * 1024,
  headerBytes: 16 * 1024,
  bodyBytes: 64 * 1024,
  headersTimeoutMs: 10_000,
  // An upload piece over a slow link takes long; a silent sender is disconnected earlier.
  requestTimeoutMs: 300_000,
  keepAliveTimeoutMs: 65_000,
  idleTimeoutMs: 120_000,
  connections: 1024,
  connectionsPerAddress: 256,
  maxTransfers: 256,
  transfersPerAddress: 128,
  stallTimeoutMs: 60_000,
  largeBuffers: 16,
  progressIntervalMs: 1000,
  streams: 64,
  streamsPerAddress: 16,
  orderStreams: 512,
  orderStreamsPerAddress: 64,
  manifestBytes: 64 * 1024 * 1024,
  announcements: 8,
  announcementsPerAddress: 2,
  uploadPieces: 64,
  uploadPiecesPerAddress: 16,
  heartbeatMs: 10_000,
};
