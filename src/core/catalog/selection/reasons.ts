/** Why a file is taken or skipped, for programs. */
export type ReasonCode = keyof typeof sentences | 'duplicate';

/** Why a file is taken or skipped. */
export interface Reason {
  readonly code: ReasonCode;
  /** A few words for users. */
  readonly text: string;
}

const sentences = {
  'chosen-weights': 'the chosen weights',
  weights: 'weights',
  'file-of-model': 'belongs to the model',
  'small-file': 'small, not weights',
  projector: 'the projector for the chosen weights',
  included: 'matches --include',
  whole: '--whole downloads everything',
  litter: 'not a file of the model: created by a tool',
  'other-quantization': 'another quantization',
  'other-projector': 'another projector is downloaded',
  'other-weights': 'weights in another format than the chosen ones',
  'large-file': 'not weights, and 10 MiB or larger',
  imatrix: 'an importance matrix, not weights',
  draft: 'a draft model or a multi-token prediction head',
  adapter: 'a LoRA adapter or a control vector',
  vocabulary: 'a vocabulary without weights',
  excluded: 'matches --exclude',
  'not-included': 'does not match --include',
  refused: 'nothing is downloaded, because the request cannot be fulfilled',
} as const;

/** The reason for a code. */
export const because = (code: keyof typeof sentences): Reason => ({ code, text: sentences[code] });

/** The reason for skipping duplicate weights; `words` follow "the same weights". */
export const becauseDuplicate = (words: string): Reason => ({ code: 'duplicate', text: `the same weights ${words}` });
