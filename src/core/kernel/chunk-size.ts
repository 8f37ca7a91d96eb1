/** Files are hashed, journalled and sent again in pieces of this many bytes (docs/on-disk-format.md, "manifests/"). */
export const chunkSize = 16 * 1024 * 1024;
