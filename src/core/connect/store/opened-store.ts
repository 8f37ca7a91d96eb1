import type { StoreClient } from '../../client/store-client.ts';
import type { Fleet } from '../../fleet/contract.ts';
import type { Downloads, Optimizations } from '../../jobs/contract.ts';
import type { Store, Uploads } from '../../store/contract.ts';

/** A store that an operation may use until it is done. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  /** Its downloads from Hugging Face. */
  readonly downloads: () => Promise<Downloads>;
  /** The variants that it makes of its models. */
  readonly optimizations: () => Promise<Optimizations>;
  /** Its nodes and what is ordered of them. */
  readonly fleet: () => Promise<Fleet>;
  /** How models get there from this machine, when it is spoken to over HTTP. */
  readonly uploads?: Uploads;
  /** What changes in it, as it changes, when it is spoken to over HTTP. */
  readonly news?: StoreClient['news'];
  /** Its tokens and its policy, when it is spoken to over HTTP. */
  readonly access?: StoreClient['access'];
  /** What Hugging Face has of a model, when it is spoken to over HTTP. */
  readonly offer?: StoreClient['offer'];
  /** Where the canonical copies lie, when this machine is the store host. */
  readonly localRoot?: string;
  /** Where the store answers, when it is spoken to over HTTP. */
  readonly url?: string;
  /** Throws TOKEN_WITHHELD when the token may not go to it, when it is spoken to over HTTP. */
  readonly requireToken?: () => void;
  /** Tries whether it accepts connections within so many milliseconds, when it is spoken to over HTTP. */
  readonly probe?: StoreClient['probe'];
}
