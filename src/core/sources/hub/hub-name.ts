/** Who answers as the Hub, for messages. */
export interface HubName {
  /** The name inside a sentence. */
  readonly name: string;
  /** The setting that names its address. */
  readonly setting: string;
  /** Whether it is another skulk store, with its own tokens and its own Hub behind it. */
  readonly isStore: boolean;
}

/** The Hugging Face Hub, or a mirror of it. */
export const huggingFace: HubName = { name: 'Hugging Face', setting: 'HF_ENDPOINT', isStore: false };

/** The store that `serve --upstream` names. */
export const upstreamStore: HubName = { name: 'the upstream store', setting: '--upstream', isStore: true };
