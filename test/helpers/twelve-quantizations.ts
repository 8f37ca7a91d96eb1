import { ggufBytes } from './gguf-bytes.ts';
import { noise } from './model-files.ts';

/** A repo as bartowski makes them: twelve quantizations, one of them in shards, two projectors and an importance matrix. */
export const id = 'bartowski/google_gemma-3-27b-it-GGUF';
export const base = 'google_gemma-3-27b-it';
export const kib = 1024;
const singles = {
  Q2_K: 30,
  Q3_K_S: 35,
  Q3_K_M: 38,
  IQ4_XS: 42,
  Q4_0: 44,
  Q4_K_S: 45,
  Q4_K_M: 48,
  Q5_K_S: 55,
  Q5_K_M: 57,
  Q6_K: 66,
  Q8_0: 85,
};
const weights = (name: string, size: number) => {
  const head = ggufBytes({ 'general.architecture': 'gemma3', 'general.name': name });
  return Buffer.concat([head, noise(size * kib - head.length, size)]);
};
export const files = {
  'README.md': '# Llamacpp imatrix Quantizations\n',
  [`${base}.imatrix`]: noise(9 * kib, 90),
  [`mmproj-${base}-f16.gguf`]: weights('f16', 8),
  [`mmproj-${base}-f32.gguf`]: weights('f32', 16),
  ...Object.fromEntries(Object.entries(singles).map(([label, size]) => [`${base}-${label}.gguf`, weights(label, size)])),
  [`${base}-bf16/${base}-bf16-00001-of-00002.gguf`]: weights('bf16', 90),
  [`${base}-bf16/${base}-bf16-00002-of-00002.gguf`]: weights('bf16 too', 70),
};
export const labels = [...Object.keys(singles), 'BF16'];
