/** Files are hashed, journalled and sent again in pieces of this many bytes (design.md, "Manifest"). */
export const chunkSize = 16 * 1024 * 1024;
