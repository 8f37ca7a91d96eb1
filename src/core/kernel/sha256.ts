/** 64 lower-case hexadecimal digits. */
export type Sha256 = string & { readonly brand: 'Sha256' };

/** Whether a text is a sha256 in lower-case hexadecimal. */
export const isSha256 = (text: unknown): text is Sha256 => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);
