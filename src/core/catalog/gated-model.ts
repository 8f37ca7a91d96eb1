import { SkulkError } from '../kernel/errors.ts';

/** A source has a model, but does not let everybody have it. */
export class GatedModel extends SkulkError {}
