import { validatorOf } from '../kernel/validate.ts';
import { configSchema } from './schema.ts';

/**
 * What is wrong with a configuration file's content; empty when it is right. The build puts the compiled check in place of
 * this file, so that no command waits for the compiler.
 */
export const checkConfig = validatorOf(configSchema);
