/** What one server takes at most. Times are in milliseconds, sizes in bytes. */
export interface Limits {
  readonly urlBytes: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** How long a client may take to send its headers. */
  readonly headersTimeoutMs: number;
  /** How long a client may take to send a whole request. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A connection on which nothing moves for so long is closed. */
  readonly idleTimeoutMs: number;
  readonly connections: number;
  /** Of them, from one address; beyond it the one that has been idle for longest is closed. */
  readonly connectionsPerAddress: number;
  /** Connections on which a file is being sent at one time; beyond it the answer is 503. */
  readonly maxTransfers: number;
  /** Of them, to one address. */
  readonly transfersPerAddress: number;
  /** A client that takes no byte of a file for so long is dropped. */
  readonly stallTimeoutMs: number;
  /** Large buffers (512 KiB) shared by all transfers. */
  readonly largeBuffers: number;
  /** How often long work reports. */
  readonly progressIntervalMs: number;
  /** Streams of events at one time, each port for itself; beyond it the answer is 503. */
  readonly streams: number;
  /** Of them, to one address. */
  readonly streamsPerAddress: number;
  /** Streams of orders at one time; each node has one. */
  readonly orderStreams: number;
  /** Of them, to one address. */
  readonly orderStreamsPerAddress: number;
  /** The largest manifest of an upload. */
  readonly manifestBytes: number;
  /** Manifests that are coming or being read at one time. */
  readonly announcements: number;
  /** Of them, from one address. */
  readonly announcementsPerAddress: number;
  /** Pieces of uploads that are coming at one time. */
  readonly uploadPieces: number;
  /** Of them, from one address. */
  readonly uploadPiecesPerAddress: number;
  /** How often a stream of events shows that it lives. */
  readonly heartbeatMs: number;
}

/** What a server on a LAN with some hundred nodes needs, with room to spare. */
export const defaultLimits: Limits = {
  urlBytes: 8 * 1024,
  headerBytes: 16 * 1024,
  bodyBytes: 64 * 1024,
  headersTimeoutMs: 10_000,
  // A piece of an upload over a slow link takes its time; a silent one is dropped earlier.
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
