import { validatorOf } from '../kernel/validate.ts';
import { configSchema } from './schema.ts';

/**
 * The problems of a configuration file's content; empty if it is valid. The build replaces this file by the compiled check, so that no
 * command waits for the compiler.
 */
export const checkConfig = validatorOf(configSchema);
