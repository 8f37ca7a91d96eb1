import { Type } from 'typebox';
import { textFormats } from '../kernel/text-format.ts';

/** What a store fetches if a Hub client requests a missing model. */
export type HubUpstream = 'on-demand' | 'job' | 'off';

/** How a store serves Hugging Face Hub clients; changes apply at once. */
export interface HubPolicy {
  readonly upstream: HubUpstream;
  /** The maximum number of bytes of one model that Hub clients' requests may fetch. */
  readonly maxFetchBytes: number;
  /** Whether gated models in the store are visible to Hub clients. */
  readonly shareGated: boolean;
  /** Origins of web pages, beside those of this machine, that may use the store as a Hub. */
  readonly corsOrigins: readonly string[];
}

/** The defaults. */
export const defaultHubPolicy: HubPolicy = {
  upstream: 'on-demand',
  maxFetchBytes: 100 * 1024 ** 3,
  shareGated: true,
  corsOrigins: [],
};

/** The section `hub` of a policy. */
export const hubPolicySchema = Type.Object(
  {
    upstream: Type.Optional(
      Type.Enum(['on-demand', 'job', 'off'], {
        default: defaultHubPolicy.upstream,
        description:
          'What a Hub client gets if the store does not have a model. on-demand: each file while it is being downloaded. job: the files of a complete download. off: nothing; Hugging Face is never asked. allow_hf_fallback: false means off.',
      }),
    ),
    max_fetch_bytes: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2 ** 50,
        default: defaultHubPolicy.maxFetchBytes,
        description: 'The maximum number of bytes of one model that requests of Hub clients fetch. `skulk download` has no such limit.',
      }),
    ),
    share_gated: Type.Optional(
      Type.Boolean({
        default: defaultHubPolicy.shareGated,
        description: 'Whether Hub clients see models that are gated on Hugging Face. false hides them.',
      }),
    ),
    cors_origins: Type.Optional(
      Type.Array(Type.String({ minLength: 8, maxLength: 300, pattern: textFormats.origin.pattern }), {
        maxItems: 100,
        default: defaultHubPolicy.corsOrigins,
        description:
          'Origins of web pages that may use the store as a Hub, e.g. https://chat.example.com. Pages of this machine always may.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** @param given the section in a file that passed the schema */
export const readHubPolicy = (given: Readonly<Record<string, unknown>>): HubPolicy => ({
  upstream: (given['upstream'] as HubUpstream | undefined) ?? defaultHubPolicy.upstream,
  maxFetchBytes: (given['max_fetch_bytes'] as number | undefined) ?? defaultHubPolicy.maxFetchBytes,
  shareGated: (given['share_gated'] as boolean | undefined) ?? defaultHubPolicy.shareGated,
  corsOrigins: (given['cors_origins'] as string[] | undefined) ?? defaultHubPolicy.corsOrigins,
});

/** In the format of the file. */
export const shownHubPolicy = (hub: HubPolicy): Readonly<Record<string, unknown>> => ({
  upstream: hub.upstream,
  max_fetch_bytes: hub.maxFetchBytes,
  share_gated: hub.shareGated,
  cors_origins: hub.corsOrigins,
});

/** Whether nodes that stage one model at once share the load; changes apply at once. */
export interface SwarmPolicy {
  /** auto: while the LAN may read without a token, because peers know no tokens. true: also if it needs one. */
  readonly enabled: 'auto' | 'off' | true;
  /** Smaller models are always sent by the store alone, in bytes. */
  readonly minBytes: number;
}

/** The defaults. */
export const defaultSwarmPolicy: SwarmPolicy = { enabled: 'auto', minBytes: 512 * 1024 ** 2 };

/** The section `swarm` of a policy. */
export const swarmPolicySchema = Type.Object(
  {
    enabled: Type.Optional(
      Type.Unsafe<'auto' | 'off' | boolean>({
        enum: ['auto', 'off', true, false],
        default: defaultSwarmPolicy.enabled,
        description:
          'auto: nodes that stage one model at the same time share it, if aria2 is installed on them and on the store host. Sharing is off while the LAN needs a token to read, because peers do not check tokens. true: sharing stays on then; nodes with the role node learn who the peers are, and peers send the model without a token. off or false: the store sends the model to each node.',
      }),
    ),
    min_bytes: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2 ** 50,
        default: defaultSwarmPolicy.minBytes,
        description: 'The size of the smallest model that nodes share.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** @param given the section in a file that passed the schema */
export const readSwarmPolicy = (given: Readonly<Record<string, unknown>>): SwarmPolicy => ({
  enabled: given['enabled'] === false ? 'off' : ((given['enabled'] as SwarmPolicy['enabled'] | undefined) ?? defaultSwarmPolicy.enabled),
  minBytes: (given['min_bytes'] as number | undefined) ?? defaultSwarmPolicy.minBytes,
});

/** In the format of the file. */
export const shownSwarmPolicy = ({ enabled, minBytes }: SwarmPolicy): Readonly<Record<string, unknown>> => ({
  enabled,
  min_bytes: minBytes,
});
