/** Who answers as the Hub, for messages. */
export interface HubName {
  /** As it stands inside a sentence. */
  readonly name: string;
  /** The setting that names its address. */
  readonly setting: string;
  /** Whether it is another store of skulk, which has tokens of its own and a Hub of its own behind it. */
  readonly isStore: boolean;
}

/** The Hugging Face Hub, or a mirror of it. */
export const huggingFace: HubName = { name: 'Hugging Face', setting: 'HF_ENDPOINT', isStore: false };

/** The store that `serve --upstream` names. */
export const upstreamStore: HubName = { name: 'the upstream store', setting: '--upstream', isStore: true };
