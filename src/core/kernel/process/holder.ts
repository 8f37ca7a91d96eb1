/** Who uses a staged copy. */
export interface Holder {
  /** Null when it is kept for a time and not for a process. */
  readonly pid: number | null;
  readonly purpose: string;
  /** ISO 8601; only of what is kept for a time. */
  readonly until?: string;
  /** The machine of the process, when a lease names one. */
  readonly hostname?: string;
  /** Where the process runs, when its pid means nothing here, e.g. `in another container` or `on nas-2`. */
  readonly place?: string;
  /** ISO 8601: until when a process that runs elsewhere counts although nothing is heard of it; half a minute when absent. */
  readonly unattended_until?: string;
}

/** `pid 4711 (skulk run)`, with the place of a process that runs elsewhere. */
export const describeHolder = ({ pid, purpose, until, place }: Holder): string =>
  pid === null ? `${purpose}, until ${until ?? 'later'}` : `pid ${pid} (${purpose})${place === undefined ? '' : ` ${place}`}`;
