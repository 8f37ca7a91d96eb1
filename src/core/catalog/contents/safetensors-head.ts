import { type Finding, incomplete, unrecognized } from './finding.ts';

/** Source: https://github.com/huggingface/safetensors, `MAX_HEADER_SIZE`. */
const maxHeaderBytes = 100_000_000;

/**
 * Why a file is not a safetensors file: 8 bytes with the length of the header (little-endian), then the header, which is JSON, then the
 * tensors. The part of the header beyond the given bytes is not checked. Pure.
 * @param size of the whole file, in bytes
 */
export function problemOfSafetensors(head: Uint8Array, size: number): Finding | undefined {
  if (size < 10) return unrecognized(`it has only ${size} bytes, which is too small for a safetensors file`);
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  const length = Number(bytes.readBigUInt64LE(0));
  if (length > maxHeaderBytes || length < 2 || bytes[8] !== 0x7b)
    return unrecognized('it does not begin with the header of a safetensors file');
  if (8 + length > size) return incomplete(`it is truncated: its header alone has ${length} bytes`);
  if (8 + length > bytes.length) return undefined;
  let header: unknown;
  try {
    header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  } catch {
    return unrecognized('its header is not JSON');
  }
  const end = 8 + length + endOfTensors(header);
  return end > size ? incomplete(`it is truncated: it has ${size} bytes, but its header says ${end}`) : undefined;
}

/** The end of the last tensor, counted from the end of the header. */
function endOfTensors(header: unknown): number {
  let end = 0;
  for (const tensor of Object.values((header ?? {}) as Record<string, unknown>)) {
    const offsets = (tensor as { data_offsets?: unknown } | null)?.data_offsets;
    const last: unknown = Array.isArray(offsets) ? offsets[1] : undefined;
    if (typeof last === 'number' && Number.isSafeInteger(last)) end = Math.max(end, last);
  }
  return end;
}
