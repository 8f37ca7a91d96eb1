import type { OpenedStore } from '../../../connect/open-store.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import type { Manifest } from '../../../protocol/manifest.ts';
import type { LocalCopy } from '../../../staging/local-copy.ts';
import type { Store } from '../../../store/contract.ts';
import type { ListedFiles, ListedModel } from '../../../store/listed-contract.ts';
import type { SelectedPart } from '../select-part.ts';
import type { FetchedManifest } from './fetch-manifest.ts';

/** An undamaged copy with the requested part. */
export type UsableCopy = LocalCopy & { readonly part: SelectedPart };

/** The store's answer about a model to stage. */
export type StoreAnswer =
  /** The local copy is complete, and it matches the store unless the store could not be asked. */
  | ({ readonly state: 'current'; readonly part: SelectedPart; readonly isChecked: boolean } & FetchedManifest & AsyncDisposable)
  | ({
      readonly state: 'manifest';
      readonly manifest: Manifest;
      readonly store: Store;
      /** Whether it is a second store, which answers while the store cannot be reached. */
      readonly isSecond: boolean;
      /** Asks once more, because the model may have been replaced in the meantime. */
      readonly askAgain: () => Promise<Manifest>;
      /** The canonical directory, if it is on this machine. */
      readonly canonical?: string;
    } & FetchedManifest &
      AsyncDisposable)
  /** The store has no manifests, so its files are hashed here. */
  | ({
      readonly state: 'listed';
      readonly model: ListedModel;
      readonly files: ListedFiles;
      /** The location of the store, for messages. */
      readonly location: string;
      readonly askAgain: () => Promise<ListedModel>;
    } & FetchedManifest &
      AsyncDisposable)
  /** There is no store, so the copy comes from Hugging Face directly. */
  | ({ readonly state: 'direct' } & AsyncDisposable);

/** The disposal of an answer that keeps no store open. */
export const nothingOpen: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} };

/** Why no program can load the model, as a part of an answer. */
export const problemsIn = ({ problems }: FetchedManifest): Pick<FetchedManifest, 'problems'> =>
  problems === undefined ? {} : { problems };

/** The error if a store has manifests in one answer and none in the next. */
export const changedKind = ({ store }: OpenedStore): SkulkError =>
  new SkulkError('STORE_UNREACHABLE', `the program that answers at ${store.location} has changed`, { hint: 'try again' });
