/** Why a file, or its group, cannot be loaded. */
export interface Finding {
  /**
   * `incomplete`: no program can load it. `unrecognized`: its beginning does not match its name, so it may have a format that skulk does
   * not know.
   */
  readonly kind: 'incomplete' | 'unrecognized';
  /** A sentence with a lower-case first letter: `it is empty`. */
  readonly reason: string;
}

export const incomplete = (reason: string): Finding => ({ kind: 'incomplete', reason });
export const unrecognized = (reason: string): Finding => ({ kind: 'unrecognized', reason });
