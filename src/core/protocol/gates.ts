import { isErrorCode } from '../kernel/errors.ts';
import { isRelativePath } from '../kernel/files/relative-path.ts';
import { isNodeId } from '../kernel/machine/node-id.ts';
import { isModelId } from '../kernel/model-id.ts';
import { isSha256 } from '../kernel/sha256.ts';

const isoTime = /^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))?$/;

/** The validators of each `format`. */
export const gates: Readonly<Record<string, (text: string) => boolean>> = {
  'model-id': isModelId,
  'node-id': isNodeId,
  sha256: isSha256,
  'relative-path': isRelativePath,
  'error-code': isErrorCode,
  'iso-time': (text) => isoTime.test(text),
  'http-url': (text) => URL.canParse(text) && /^https?:/.test(text),
  verbatim: () => true,
};
