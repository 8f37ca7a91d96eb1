/** Why a file, or what it belongs to, cannot be loaded. */
export interface Finding {
  /** `incomplete`: no program can load it. `unrecognized`: it does not begin as its name says, so it may be of a format that is not known here. */
  readonly kind: 'incomplete' | 'unrecognized';
  /** A sentence that begins with a small letter: `it is empty`. */
  readonly reason: string;
}

export const incomplete = (reason: string): Finding => ({ kind: 'incomplete', reason });
export const unrecognized = (reason: string): Finding => ({ kind: 'unrecognized', reason });
