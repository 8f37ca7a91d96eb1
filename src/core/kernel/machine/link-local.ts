/** Whether an address is only valid on its own cable or Wi-Fi (RFC 3927; RFC 4291, 2.5.6). */
export const isLinkLocal = (address: string): boolean => /^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(address);
