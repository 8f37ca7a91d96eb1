/** Files are hashed, journalled and resumed in chunks of this many bytes (docs/on-disk-format.md, "manifests/"). */
export const chunkSize = 16 * 1024 * 1024;
