import { SkulkError } from '../kernel/errors.ts';

/** A source has a model, but restricts access to it. */
export class GatedModel extends SkulkError {}
