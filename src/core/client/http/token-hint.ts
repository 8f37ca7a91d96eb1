import { SkulkError } from '../../kernel/errors.ts';

/** Whether the store refused a client because it has no token. Pure. */
export const lacksToken = ({ cause, hint }: SkulkError): boolean =>
  cause instanceof SkulkError && (cause.code === 'UNAUTHORIZED' || (cause.code === 'FORBIDDEN' && hint?.includes('token') === true));

/**
 * The refusal of a client without a token, with a hint that also says how to send one. Pure.
 * @param needs what must be set beside the token
 */
export function withTokenHint({ code, message, hint = 'use a token', cause }: SkulkError, needs: string | undefined): SkulkError {
  const variable = hint.includes('SKULK_TOKEN') ? [] : ['put it into SKULK_TOKEN'];
  const others = needs === undefined ? [] : [`also set ${needs}`];
  return new SkulkError(code, message, { hint: [hint, ...variable, ...others].join('; '), cause });
}
